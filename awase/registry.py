"""Maps a service's name to its adapter: the only place that knows both the settings and the adapters."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx2
from django.conf import settings

from awase.domain.errors import Failure, FailureClass, FailureScope, ProviderError
from awase.domain.health import Service
from awase.providers import webhook
from awase.providers.caldav import CalDAV, DavAccess
from awase.providers.google import Google
from awase.providers.guard import Guard, build_guarded_client
from awase.providers.http import build_client
from awase.providers.microsoft import Microsoft, Teams
from awase.providers.protocols import (
    AppConfig,
    CalendarProvider,
    ConferenceProvider,
    OAuthService,
    TokenSource,
)
from awase.providers.zoom import Zoom

Access = TokenSource | DavAccess
"""What calls in the name of an account need: a source of tokens, or a CalDAV account's app password."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How the adapter of one service is made; `bases` are the names of its base addresses."""

    make: Callable[..., Any]
    bases: tuple[str, ...]


ENTRIES = {
    Service.GOOGLE: Entry(Google, ("auth_base", "token_base", "api_base", "userinfo_base", "directory_base")),
    Service.MICROSOFT: Entry(Microsoft, ("login_base", "graph_base")),
    Service.TEAMS: Entry(Teams, ("login_base", "graph_base")),
    Service.ZOOM: Entry(Zoom, ("oauth_base", "api_base")),
}

# Time-outs of an ordinary call, in seconds; the live check at booking time has a shorter one.
PATIENCE = 20.0
DAV_PATIENCE = 35.0  # Nextcloud delays its answer to a wrong password by up to 25
WEBHOOK_PATIENCE = 10.0

_transport: httpx2.BaseTransport | None = None


@contextmanager
def use_transport(transport: httpx2.BaseTransport) -> Iterator[None]:
    """Send every call through `transport` instead of the network: how tests put the sandbox on the wire."""
    global _transport
    before, _transport = _transport, transport
    _client.cache_clear()
    try:
        yield
    finally:
        _transport = before
        _client.cache_clear()


@cache
def _client(patience: float) -> httpx2.Client:
    return build_client(
        transport=_transport, timeout=httpx2.Timeout(patience, connect=min(patience, 5.0)), trust_env=_transport is None
    )


@cache
def _guarded(patience: float, allowed: tuple[str, ...]) -> httpx2.Client:
    """For addresses that people type: nothing inside our own walls is called unless the operator opened it."""
    return build_guarded_client(allowed=allowed, timeout=httpx2.Timeout(patience, connect=min(patience, 5.0)))


def caldav(patience: float = DAV_PATIENCE) -> CalDAV:
    """Connecting CalDAV accounts, by address and app password."""
    return CalDAV(_guarded(patience, tuple(settings.AWASE_CALDAV_ALLOWED)))


def check_webhook_address(address: str) -> None:
    """Raises ProviderError (AddressRefused) for an address that must not be called."""
    webhook.check_address(address, Guard(settings.AWASE_WEBHOOKS_ALLOWED))


def post_webhook(address: str, headers: Mapping[str, str], body: bytes) -> tuple[int, float | None]:
    """Post to an address that somebody typed; status and seconds to wait as `providers.webhook.post` gives them."""
    return webhook.post(_guarded(WEBHOOK_PATIENCE, tuple(settings.AWASE_WEBHOOKS_ALLOWED)), address, headers, body)


def configured(service: Service) -> bool:
    """Whether the operator has registered this instance at the service; CalDAV needs no registration."""
    return not service.registration or bool(settings.AWASE_SERVICES[service.registration]["client_id"])


def room_scopes(service: Service) -> frozenset[str]:
    """What reading rooms needs beyond what every account of this service has granted."""
    return _more_scopes(service, "room_scopes")


def organisation_scopes(service: Service) -> frozenset[str]:
    """What listing all rooms of an organisation needs beyond that; empty where it needs no more."""
    return _more_scopes(service, "organisation_scopes")


def _more_scopes(service: Service, name: str) -> frozenset[str]:
    return frozenset(getattr(ENTRIES[service].make, name, ())) if service in ENTRIES else frozenset()


def redirect_address(service: Service) -> str:
    """Where a service sends people back to; it must be registered there exactly so."""
    return f"{settings.AWASE_URL}/connect/{service}/callback"


def _adapter(service: Service, patience: float = PATIENCE) -> Any:
    """The adapter; a registration that the operator took away is a fault of ours like any other."""
    entry = ENTRIES[service]
    registration = settings.AWASE_SERVICES[service.registration]
    if not registration["client_id"]:
        detail = f"this instance is not registered at {service.registration}"
        raise ProviderError(Failure(FailureClass.APP_CONFIG, FailureScope.APP, "unregistered", detail=detail))
    app = AppConfig(
        client_id=registration["client_id"],
        client_secret=registration["client_secret"],
        redirect_uri=redirect_address(service),
    )
    bases = dict.fromkeys(entry.bases, registration["base"]) if registration["base"] else {}
    return entry.make(_client(patience), app, **bases)


def oauth(service: Service, patience: float = PATIENCE) -> OAuthService:
    """How accounts of this service are connected; `patience` is the time-out of each call in seconds."""
    adapter: OAuthService = _adapter(service, patience)
    return adapter


def calendars(service: Service, access: Access, patience: float | None = None) -> CalendarProvider:
    """The calendars of one account; `patience` is the time-out of each call in seconds (None: the service's)."""
    if isinstance(access, DavAccess):
        return caldav(patience or DAV_PATIENCE).session(access)
    provider: CalendarProvider = _adapter(service, patience or PATIENCE).session(access)
    return provider


def conferences(service: Service, access: Access) -> ConferenceProvider:
    """The online meetings of one account."""
    provider: ConferenceProvider = _adapter(service).session(access)
    return provider
