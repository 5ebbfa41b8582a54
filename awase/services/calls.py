"""Calls that effects make in the name of an account, and what can come of an effect besides being done."""

from datetime import datetime, timedelta

from awase.domain.errors import Capability, FailureClass, ProviderError
from awase.models import Credential
from awase.services.signals import Cause, Good, record


class Postponed(Exception):
    """Not yet: something that this effect needs is still under way."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(pause)
        self.pause = pause


class Parked(Exception):
    """Waits for a person; `credential` is the account whose repair resumes it (None: there is none)."""

    def __init__(self, credential: Credential | None, reason: str) -> None:
        super().__init__(reason)
        self.credential = credential
        self.reason = reason


class Call:
    """One call in the name of an account: whatever comes of it is a signal about the account."""

    def __init__(self, credential: Credential, capability: Capability | None, now: datetime) -> None:
        self.credential, self.capability, self.now = credential, capability, now

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            record(self.credential.pk, Good(capability=self.capability), Cause.CALL, self.now)
        elif isinstance(error, ProviderError):
            failure = error.failure
            record(self.credential.pk, failure, Cause.CALL, self.now)
            if failure.kind is FailureClass.RECONNECT:
                raise Parked(self.credential, (failure.reason or failure.kind).value) from error
