"""The one writer of a credential: hands out access tokens and refreshes them under a lease.

Services that rotate refresh tokens (Zoom always, Microsoft usually) lose the connection if two refresh at
once or if a rotated token is not saved. So whoever refreshes takes the lease by compare-and-set, reads the
row again, and saves the new tokens in the same statement that gives the lease back.
"""

import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q

from awase import registry
from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError, Reason
from awase.domain.health import Service
from awase.models import Credential
from awase.providers.caldav import DavAccess
from awase.providers.protocols import OAuthService, Tokens

LEASE = timedelta(seconds=60)  # longer than the patience of one refresh call
EARLY = timedelta(minutes=2)  # refresh this long before the token ends
PATIENCE_SECONDS = 25.0  # for a refresh, one's own or that of another process
POLL_SECONDS = 0.1


def sealed(tokens: Tokens) -> dict[str, str]:
    """The part of a token set that is kept encrypted."""
    return {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}


def tokens_of(credential: Credential) -> Tokens:
    """The stored token set of a credential."""
    return Tokens(
        access_token=credential.secret["access_token"],
        refresh_token=credential.secret["refresh_token"],
        expires_at=credential.expires_at or datetime.now(UTC),
        scopes=frozenset(credential.scopes.split()),
        refresh_expires_at=credential.refresh_expires_at,
    )


def at_hand(credential: Credential) -> str:
    """The access token in this row if it lasts long enough to be used, else ""."""
    tokens = tokens_of(credential)
    return tokens.access_token if tokens.expires_at - EARLY > datetime.now(UTC) else ""


def forget(credential: Credential) -> None:
    """Its person took everything back at the service: the tokens are dead, and nothing of them is kept."""
    Credential.objects.filter(pk=credential.pk).update(
        secret={"access_token": "", "refresh_token": ""},
        expires_at=datetime.now(UTC),
        generation=F("generation") + 1,
        lease_until=None,
        lease_token="",
    )


class StoredTokens:
    """The TokenSource of one stored credential."""

    def __init__(self, credential_id: int, patience: float = PATIENCE_SECONDS) -> None:
        self.credential_id = credential_id
        self._patience = patience  # seconds

    def token(self, *, rejected: str | None = None) -> str:
        """A usable access token; with `rejected` one that is newer than it. Raises ProviderError."""
        until = time.monotonic() + self._patience
        while True:
            credential = Credential.objects.get(pk=self.credential_id)
            tokens = tokens_of(credential)
            if (usable := at_hand(credential)) and usable != rejected:
                return usable
            if not tokens.refresh_token:
                detail = "forgotten at the person's wish"
                raise ProviderError(
                    Failure(
                        FailureClass.RECONNECT,
                        FailureScope.CONNECTION,
                        "Z18",
                        reason=Reason.APP_DEAUTHORIZED,
                        detail=detail,
                    )
                )
            oauth = registry.oauth(Service(credential.service), min(self._patience, registry.PATIENCE))
            if lease := self._take_lease(credential.generation):
                try:
                    fresh = self._refresh(oauth, credential, tokens, lease)
                except ProviderError:
                    later = Credential.objects.filter(pk=credential.pk, generation__gt=credential.generation)
                    if not later.exists():
                        raise
                    continue  # reconnected meanwhile: what was refused is not what counts now
                if failure := oauth.scope_failure(fresh):
                    raise ProviderError(failure)
                return fresh.access_token
            if time.monotonic() > until:
                raise ProviderError(
                    Failure(
                        FailureClass.RETRY,
                        FailureScope.CONNECTION,
                        "X01",
                        detail="another refresh is under way",
                    )
                )
            time.sleep(POLL_SECONDS)

    def _take_lease(self, generation: int) -> str:
        """The lease's token, or "" if somebody else holds it or has saved newer tokens meanwhile."""
        now = datetime.now(UTC)
        lease = uuid.uuid4().hex
        taken = (
            Credential.objects.filter(pk=self.credential_id, generation=generation)
            .filter(Q(lease_until=None) | Q(lease_until__lte=now))
            .update(lease_until=now + LEASE, lease_token=lease)
        )
        return lease if taken else ""

    def _refresh(self, oauth: OAuthService, before: Credential, tokens: Tokens, lease: str) -> Tokens:
        """The fresh token set, saved. Raises ProviderError, the lease given back."""
        try:
            fresh = oauth.refresh(tokens, now=datetime.now(UTC))
        except BaseException:
            Credential.objects.filter(pk=before.pk, lease_token=lease).update(lease_until=None, lease_token="")
            raise
        # Saved by generation, not by lease: should the lease have run out meanwhile, what the service gave us
        # last is still the only token that works.
        Credential.objects.filter(pk=before.pk, generation=before.generation).update(
            secret=sealed(fresh),
            expires_at=fresh.expires_at,
            refresh_expires_at=fresh.refresh_expires_at,
            scopes=" ".join(sorted(fresh.scopes)),
            generation=F("generation") + 1,
            lease_until=None,
            lease_token="",
        )
        return fresh


class GivenToken:
    """The TokenSource of one token that is at hand and not refreshed: a fresh grant being verified, or a
    thread that must not touch the database."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def token(self, *, rejected: str | None = None) -> str:
        return self._access_token


def source(credential: Credential, patience: float = PATIENCE_SECONDS) -> registry.Access:
    """What calls in the name of this account need; `patience` in seconds for a refresh."""
    if credential.service == Service.CALDAV:
        return dav_access(credential)
    return StoredTokens(credential.pk, patience)


def asked_to_wait(credential: Credential, now: datetime) -> Failure | None:
    """The service asked to be left alone by this account for a while: what stands in place of an answer until then."""
    until = credential.quiet_until
    if until is None or until <= now:
        return None
    return Failure(
        FailureClass.RATE_LIMITED,
        FailureScope.CONNECTION,
        credential.last_symptom,
        retry_at=until,
        detail="the service asked for patience",
    )


def dav_access(credential: Credential) -> DavAccess:
    """The stored access of a CalDAV account."""
    kept = credential.secret
    return DavAccess(kept["username"], kept["password"], kept["home"], tuple(kept["addresses"]), kept["time_zone"])


def sealed_access(access: DavAccess) -> dict[str, object]:
    """A CalDAV access as it is kept encrypted."""
    return {**asdict(access), "addresses": list(access.addresses)}
