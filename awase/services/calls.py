"""Calls that effects make in the name of an account, and what can come of an effect besides being done."""

from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache

from awase.domain.errors import Capability, FailureClass, FailureScope, ProviderError
from awase.domain.transition import needs_person
from awase.models import Credential, Effect
from awase.services.health import recorded_state
from awase.services.signals import Cause, Good, record
from awase.services.tokens import asked_to_wait

SHORT = timedelta(minutes=1)  # a wait that is not worth telling the account's other work of


class Postponed(Exception):
    """Not yet: something that this effect needs is still under way."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(pause)
        self.pause = pause


class LeaseLost(Exception):
    """The effect's lease ran out and somebody else took it over: nothing more is to be done here."""


class Parked(Exception):
    """Waits for a person; `credential` is the account whose repair resumes it (None: there is none), `capability`
    what it may lack."""

    def __init__(self, credential: Credential | None, reason: str, capability: Capability | None = None) -> None:
        super().__init__(reason)
        self.credential, self.reason, self.capability = credential, reason, capability


def remember(effect: Effect, payload: dict[str, Any]) -> None:
    """Write down what this effect must know when it runs again, as long as it is ours. Raises LeaseLost."""
    mine = Effect.objects.filter(pk=effect.pk, lease_token=effect.lease_token)
    if not mine.update(payload=payload):
        raise LeaseLost
    effect.payload = payload


class Call:
    """One call in the name of an account: whatever comes of it is a signal about the account. While the service wants
    to be left alone, nothing is called. Where only making and changing is limited (Zoom, by day), the account makes and
    changes nothing more until then; what is to be deleted (`capability` None) is asked for still, since no service
    counts that."""

    def __init__(self, credential: Credential, capability: Capability | None, now: datetime) -> None:
        self.credential, self.capability, self.now = credential, capability, now

    def __enter__(self) -> None:
        if waiting := asked_to_wait(self.credential, self.now):
            assert waiting.retry_at
            if needs_person(recorded_state(self.credential)):
                raise Parked(self.credential, self.credential.reason)
            raise Postponed(waiting.retry_at - self.now)
        until: datetime | None = cache.get(self._rest) if self.capability else None
        if until and until > self.now:
            raise Postponed(until - self.now)

    @property
    def _rest(self) -> str:
        return f"rest:{self.credential.pk}"

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            record(self.credential.pk, Good(capability=self.capability), Cause.CALL, self.now)
        elif isinstance(error, ProviderError):
            failure = error.failure
            record(self.credential.pk, failure, Cause.CALL, self.now)
            if failure.scope is FailureScope.EVENT and failure.retry_at and failure.retry_at - self.now > SHORT:
                cache.set(self._rest, failure.retry_at, (failure.retry_at - self.now).total_seconds())
            if failure.kind is FailureClass.RECONNECT:
                raise Parked(self.credential, (failure.reason or failure.kind).value, self.capability) from error
