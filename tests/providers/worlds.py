"""The other side of the wire for the contract suite: the sandbox's services, each with one linked account."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from awase.demo.consent import answer_consent
from awase.domain.errors import Capability, ProviderError
from awase.providers.google import Google
from awase.providers.http import build_client
from awase.providers.microsoft import Microsoft, Teams
from awase.providers.oauth import OAuthAdapter
from awase.providers.protocols import AppConfig, Grant, Tokens
from awase.providers.zoom import Zoom
from sandbox.app import Sandbox, wsgi

REDIRECT = "http://127.0.0.1/connect/callback"
VERIFIER = "v" * 64
ADAPTERS: Mapping[str, Callable[..., OAuthAdapter]] = {
    "google": Google,
    "microsoft": Microsoft,
    "teams": Teams,
    "zoom": Zoom,
}
# The services that make meetings, each with the sandbox's name of the operation that makes one.
CREATING = {
    "zoom": "meetings.create",
    "teams": "onlineMeetings.createOrGet",
}


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment of March 2031 in UTC: far enough away that no service takes it for past."""
    return datetime(2031, 3, day, hour, minute, tzinfo=UTC)


def hold(seconds: float) -> None:
    raise httpx2.ReadTimeout("no answer from the sandbox")


def new_sandbox() -> Sandbox:
    return Sandbox(sleep=lambda seconds: None, hold=hold)


class Keeper:
    """One account's tokens, kept as the product keeps them: asked for, refreshed when rejected."""

    def __init__(self, adapter: OAuthAdapter, tokens: Tokens) -> None:
        self.adapter = adapter
        self.tokens = tokens
        self.refreshes = 0

    def token(self, *, rejected: str | None = None) -> str:
        if rejected is not None:
            self.refreshes += 1
            self.tokens = self.adapter.refresh(self.tokens, now=datetime.now(UTC))
            if failure := self.adapter.scope_failure(self.tokens):
                raise ProviderError(failure)
        return self.tokens.access_token


class SandboxWorld:
    """One service of the sandbox, reached under its real host names, with the account of hanako linked.

    `around` may wrap the sandbox's application, to listen on the wire.
    """

    def __init__(
        self, name: str, email: str = "hanako@minato.example", around: Callable[[Any], Any] = lambda app: app
    ) -> None:
        self.name = name
        self.service = "microsoft" if name == "teams" else name
        self.email = email
        self.sandbox = new_sandbox()
        self.client = build_client(transport=httpx2.WSGITransport(app=around(wsgi(self.sandbox))))
        app = AppConfig(f"awase-{self.service}", "sandbox-secret", REDIRECT)
        pauses = {"pause": lambda seconds: None} if name == "google" else {}
        self.adapter: Any = ADAPTERS[name](self.client, app, **pauses)
        self.sandbox.add_account(self.service, email, time_zone="Asia/Tokyo")
        self.keeper = Keeper(self.adapter, self.connect().tokens)
        self.session: Any = self.adapter.session(self.keeper)

    @property
    def capability(self) -> Capability:
        return Capability(self.name)

    @property
    def create_operation(self) -> str:
        return CREATING[self.name]

    @property
    def account(self) -> Any:
        return self.sandbox.account(self.service, self.email)

    @property
    def calendar_id(self) -> str:
        return str(self.account.primary.id)

    def connect(self, **choices: Any) -> Grant:
        return self.connect_at(self.adapter.authorize_url(state="xyz", verifier=VERIFIER), **choices)

    def connect_at(self, address: str, **choices: Any) -> Grant:
        """The grant that follows from a consent screen."""
        back = self.callback(address, **choices)
        grant: Grant = self.adapter.exchange(code=back["code"], verifier=VERIFIER, now=datetime.now(UTC))
        return grant

    def callback(self, address: str = "", **choices: Any) -> dict[str, str]:
        """What the consent screen sends the person back with."""
        address = address or self.adapter.authorize_url(state="xyz", verifier=VERIFIER, login_hint=self.email)
        back = answer_consent(self.client, address, self.email, **choices)
        return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}

    def control(self, method: str, path: str, **body: Any) -> Any:
        answer = self.client.request(method, f"http://sandbox.test/control/api/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def on_account(self, method: str, path: str, **body: Any) -> Any:
        return self.control(method, f"accounts/{self.service}/{self.email}/{path}", **body)

    def fault(self, name: str, operation: str = "*", **params: Any) -> None:
        self.on_account("POST", "fault", fault=name, operation=operation, **params)

    def answer(self, status: int, body: Any = "", operation: str = "*", **more: Any) -> None:
        """The service's raw answer to the coming calls."""
        self.on_account("POST", "override", status=status, body=body, operation=operation, **more)

    def seed(self, calendar_id: str = "primary", **event: Any) -> str:
        """An event that the account's owner made by hand."""
        made = self.on_account("POST", f"calendars/{calendar_id}/events", **event)
        return str(made["ids"][0])

    def seed_weekly(self, count: int, **event: Any) -> str:
        """A series by hand, each Monday."""
        rule: Any = [f"RRULE:FREQ=WEEKLY;COUNT={count}"]
        if self.name == "microsoft":
            pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]}
            rule = {"pattern": pattern, "range": {"type": "numbered", "numberOfOccurrences": count}}
        return self.seed(**event, recurrence=rule)

    def add_calendar(self, **wanted: Any) -> str:
        return str(self.on_account("POST", "calendars", **wanted)["id"])

    def remove_calendar(self, calendar_id: str) -> None:
        self.on_account("DELETE", f"calendars/{calendar_id}")

    def remove_event(self, event_id: str) -> None:
        """As the owner would in the browser."""
        self.on_account("DELETE", f"calendars/primary/events/{event_id}")

    def move_event(self, event_id: str, start: datetime, end: datetime) -> None:
        """As the owner would, by dragging it."""
        times = {"start": start.isoformat(), "end": end.isoformat()}
        self.on_account("PATCH", f"calendars/primary/events/{event_id}", **times)

    def operations(self) -> list[str]:
        """The operations called so far, oldest first."""
        return [entry["operation"] for entry in self.sandbox.requests]
