"""Everything that the sandbox remembers, kept as one JSON file, and the object that holds it."""

from __future__ import annotations

import dataclasses
import json
import queue
import secrets
import threading
import time
import typing
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.posting import send_post
from sandbox.wire import Route

SERVICES = ("google", "microsoft", "zoom")
# service, address, headers and body of a message that a service sends by itself
Message = tuple[str, str, dict[str, str], bytes]
PERSONAL_DOMAINS = {
    "google": ("gmail.com", "googlemail.com"),
    "microsoft": ("outlook.com", "outlook.jp", "hotmail.com", "live.com", "live.jp", "msn.com"),
}
ZOOM_SCOPES = [
    "meeting:write:meeting",
    "meeting:update:meeting",
    "meeting:delete:meeting",
    "meeting:read:meeting",
    "meeting:read:list_meetings",
    "user:read:user",
]


@dataclass
class Fault:
    """A mode that lasts until it is cleared (or `until`, epoch seconds). `operation` is `*`, `token`,
    `api` or one operation's name."""

    name: str
    operation: str = "*"
    params: dict[str, Any] = field(default_factory=dict)
    until: float | None = None


@dataclass
class Override:
    """A raw answer for the next `times` calls (None: until cleared) of one operation. An empty `email`
    means everybody."""

    service: str
    email: str
    operation: str
    status: int
    headers: dict[str, str]
    body: str
    times: int | None = None


@dataclass
class Calendar:
    """A calendar; `events` are resources in the service's own form, keyed by id. `sync_epoch` moves when
    old sync tokens must be refused."""

    id: str
    name: str
    time_zone: str = "UTC"
    writable: bool = True
    primary: bool = False
    conferences: bool = True
    room: bool = False
    sync_epoch: int = 0
    events: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Account:
    """An account at one service. `label` names the last act against its grants, until a new consent."""

    service: str
    email: str
    id: str
    name: str
    personal: bool = False
    licensed: bool = True
    calendars: dict[str, Calendar] = field(default_factory=dict)
    meetings: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    label: str = ""
    latency: float = 0.0
    writes: dict[str, int] = field(default_factory=dict)

    @property
    def primary(self) -> Calendar:
        return next(calendar for calendar in self.calendars.values() if calendar.primary)


@dataclass
class Grant:
    """One consent. `ended` names why it is dead ("" while it lives); `withheld` are scopes taken away by
    the fault scope_missing."""

    id: str
    service: str
    client_id: str
    email: str
    scopes: list[str]
    made_at: float
    offline: bool = True
    ended: str = ""
    withheld: list[str] = field(default_factory=list)


@dataclass
class Token:
    """An access or refresh token; `dead` ones stay known so that the log can name the account."""

    grant: str
    kind: str
    expires_at: float | None
    dead: bool = False


@dataclass
class Code:
    """An authorisation code with everything that was asked for."""

    service: str
    client_id: str
    redirect_uri: str
    email: str
    scopes: list[str]
    challenge: str
    expires_at: float
    offline: bool = True
    nonce: str = ""
    used: bool = False


@dataclass
class Client:
    """A registered app. Without `redirect_uris` any loopback or test address is allowed. `webhook` is where
    Zoom reports events."""

    id: str
    service: str
    secret: str
    redirect_uris: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    webhook: str = ""
    webhook_secret: str = ""


@dataclass
class Channel:
    """A push channel (Google) or subscription (Microsoft; an empty `calendar` means all). `seen` is the
    sequence number that its last message covered; `known` are the events that it was told about."""

    id: str
    service: str
    email: str
    calendar: str
    address: str
    token: str
    expires_at: float
    seen: int
    count: int = 0
    resource: str = ""
    kinds: list[str] = field(default_factory=list)
    lifecycle_address: str = ""
    known: list[str] = field(default_factory=list)


@dataclass
class State:
    offset: float = 0.0
    sequence: int = 0
    signing_key: str = ""
    accounts: dict[str, Account] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    overrides: list[Override] = field(default_factory=list)
    channels: dict[str, Channel] = field(default_factory=dict)


def fresh_state() -> State:
    clients = {
        f"awase-{service}": Client(
            f"awase-{service}", service, "sandbox-secret", scopes=ZOOM_SCOPES if service == "zoom" else []
        )
        for service in SERVICES
    }
    return State(clients=clients)


def revive(kind: Any, value: Any) -> Any:
    """Build a value of the annotated type `kind` from what JSON gave back."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        known = {name: revive(hints[name], item) for name, item in value.items() if name in hints}
        return typing.cast(type, kind)(**known)
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is dict:
        return {key: revive(arguments[1], item) for key, item in value.items()}
    if typing.get_origin(kind) is list:
        return [revive(arguments[0], item) for item in value]
    return value


class Sandbox:
    """The state, its lock and its clock.

    `clock` gives aware UTC; tests may move it by an offset. `sleep` is used for latency, `hold` for
    answers that never come (fault `timeout`): a test that calls in-process passes a `hold` that raises
    its client's time-out. `post` sends what the services send by themselves.
    """

    def __init__(
        self,
        state_path: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        hold: Callable[[float], None] = time.sleep,
        post: Callable[[str, dict[str, str], bytes], tuple[int, bytes]] = send_post,
    ) -> None:
        self.state_path = state_path
        self.clock = clock
        self.sleep = sleep
        self.hold = hold
        self.lock = threading.RLock()
        self.post = post
        self.outgoing: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.in_flight: Counter[str] = Counter()
        self.requests: deque[dict[str, Any]] = deque(maxlen=500)
        self.changed = threading.Event()
        self.state = fresh_state()
        if state_path is not None and state_path.exists():
            self.state = revive(State, json.loads(state_path.read_text(encoding="utf-8")))

    def now(self) -> datetime:
        return self.clock() + timedelta(seconds=self.state.offset)

    def epoch(self) -> float:
        return self.now().timestamp()

    def tick(self) -> int:
        """The next number of the one sequence that orders all changes (sync tokens, etags)."""
        self.state.sequence += 1
        return self.state.sequence

    def save(self) -> None:
        """Write the state atomically, if it is to be kept at all."""
        if self.state_path is None:
            return
        with self.lock:
            self.changed.clear()
            text = json.dumps(dataclasses.asdict(self.state), ensure_ascii=False)
            part = self.state_path.with_suffix(".part")
            part.write_text(text, encoding="utf-8")
            part.chmod(0o600)
            part.replace(self.state_path)

    def reset(self) -> None:
        with self.lock:
            self.state = fresh_state()
            self.requests.clear()

    def account(self, service: str, email: str) -> Account | None:
        return self.state.accounts.get(f"{service}/{email.lower()}")

    def accounts(self, service: str) -> list[Account]:
        return [account for account in self.state.accounts.values() if account.service == service]

    def add_account(
        self,
        service: str,
        email: str,
        *,
        name: str = "",
        personal: bool | None = None,
        licensed: bool = True,
        time_zone: str = "Asia/Tokyo",
    ) -> Account:
        """Create an account with its primary calendar (Zoom has none); the address is its key."""
        email = email.strip().lower()
        local, _, domain = email.partition("@")
        if personal is None:
            personal = domain in PERSONAL_DOMAINS.get(service, ())
        account = Account(service, email, new_id(service), name or local.replace(".", " ").title(), personal, licensed)
        if service == "google":
            account.calendars[email] = Calendar(email, email, time_zone, primary=True)
        elif service == "microsoft":
            calendar_id = new_calendar_id(service)
            account.calendars[calendar_id] = Calendar(calendar_id, "Calendar", time_zone, primary=True)
        self.state.accounts[f"{service}/{email}"] = account
        return account

    def grants_of(self, account: Account) -> list[Grant]:
        return [
            grant
            for grant in self.state.grants.values()
            if grant.service == account.service and grant.email == account.email
        ]

    def active_faults(self, account: Account, route: Route) -> list[Fault]:
        """The account's faults that reach this operation now."""
        now = self.epoch()
        return [
            fault
            for fault in account.faults
            if fault.operation in ("*", route.kind, route.operation) and (fault.until is None or now < fault.until)
        ]


def new_id(service: str) -> str:
    """A user id in the service's style."""
    if service == "google":
        return "1" + "".join(secrets.choice("0123456789") for _ in range(20))
    return secrets.token_urlsafe(16) if service == "zoom" else secrets.token_hex(16)


def new_room_address(account: Account) -> str:
    """The address of a meeting room in the style of the account's service."""
    if account.service == "google":
        return f"c_{secrets.token_hex(16)}@resource.calendar.google.com"
    return f"room-{secrets.token_hex(4)}@{account.email.partition('@')[2]}"


def new_calendar_id(service: str) -> str:
    if service == "google":
        return f"c_{secrets.token_hex(16)}@group.calendar.google.com"
    return "AQMkAD" + secrets.token_urlsafe(36).replace("_", "x") + "="
