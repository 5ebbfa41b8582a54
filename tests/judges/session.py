"""One scripted session per adapter, which uses every function of it against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from awase.demo.consent import answer_consent
from awase.providers.protocols import Channel, EventDraft, MeetingDraft
from tests.judges.recorder import Exchange, Recorder
from tests.providers.worlds import VERIFIER, SandboxWorld, at

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "f" * 32
ROOM = "room-1@minato.example"
Step = Callable[[SandboxWorld], object]


def event(key: str = KEY, day: int = 5, **more: Any) -> EventDraft:
    return EventDraft(key, "打ち合わせ", at(day, 1), at(day, 2), "Asia/Tokyo", "A note", "Room 3", **more)


def meeting(day: int = 5) -> MeetingDraft:
    return MeetingDraft(KEY, "打ち合わせ", at(day, 1), at(day, 1, 30), "Asia/Tokyo")


def events_written(world: SandboxWorld) -> None:
    """New, repeated, moved, moved by its id, deleted by hand and put again; with rooms, and with Meet at Google."""
    meet = world.name == "google"
    session, calendar = world.session, world.calendar_id
    session.put_event(calendar, event(meet=meet, room_addresses=(ROOM,)))
    session.put_event(calendar, event(meet=meet, room_addresses=(ROOM,)))
    written = session.put_event(calendar, event(day=6, meet=meet))
    session.put_event(calendar, event(day=7), written.id)
    world.remove_event(written.id)
    session.put_event(calendar, event(day=8), written.id)
    session.put_event(calendar, event(OTHER_KEY, day=9, room_addresses=(ROOM,)))
    session.put_event(calendar, event(OTHER_KEY, day=10, room_addresses=(ROOM,)))


def events_deleted(world: SandboxWorld) -> None:
    world.session.delete_event(world.calendar_id, KEY)
    world.session.delete_event(world.calendar_id, KEY)


def busy_read(world: SandboxWorld) -> None:
    second = world.add_calendar(name="Second")
    gone = world.add_calendar(name="Gone")
    world.remove_calendar(gone)
    world.seed(start="2031-03-05", end="2031-03-06")
    world.seed_weekly(3, start="2031-03-03T10:00:00+09:00", end="2031-03-03T10:30:00+09:00")
    world.session.busy([world.calendar_id, second, gone], at(1), at(31))


def rooms_read(world: SandboxWorld) -> None:
    """With the scopes that only whoever adds rooms is asked for."""
    wishes = {"rooms": True, "organisation": True}
    address = world.adapter.authorize_url(state="xyz", verifier=VERIFIER, login_hint=world.email, **wishes)
    back = parse_qs(urlsplit(answer_consent(world.client, address, world.email)).query)
    grant = world.adapter.exchange(code=back["code"][0], verifier=VERIFIER, now=datetime.now(UTC))
    world.keeper.tokens = grant.tokens
    world.add_calendar(id=ROOM, name="Room 1", room=True)
    world.session.list_rooms()
    world.session.list_rooms(organisation=True)
    world.session.rooms_busy([ROOM, "nobody@minato.example"], at(1), at(1) + timedelta(days=90))


def changes_followed(world: SandboxWorld) -> None:
    """In full, what came since, and after the service forgot the token."""
    first = world.session.changes(world.calendar_id, "", at(1), at(31))
    seeded = world.seed(start="2031-03-11T10:00:00Z", end="2031-03-11T11:00:00Z")
    second = world.session.changes(world.calendar_id, first.token, at(1), at(31))
    world.remove_event(seeded)
    world.session.changes(world.calendar_id, second.token, at(1), at(31))
    world.session.changes(world.calendar_id, "forgotten", at(1), at(31))


def channel_opened(world: SandboxWorld, channel_id: str = "c" * 32) -> Channel:
    """A push channel; Graph calls the address first, and wants its own word back."""

    def post(address: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        token = parse_qs(urlsplit(address).query).get("validationToken", [""])[0]
        return 200, token.encode()

    world.sandbox.post = post
    now = datetime.now(UTC)
    address = "https://awase.example/callbacks/push"
    channel: Channel = world.session.watch(world.calendar_id, address, "secret", channel_id=channel_id, now=now)
    return world.session.renew(channel, now=now + timedelta(days=1)) or channel


def channel_stopped(world: SandboxWorld) -> None:
    channel = channel_opened(world, "d" * 32)
    world.session.stop(channel)
    world.session.stop(channel)


def meetings_made(world: SandboxWorld) -> None:
    made = world.session.create_meeting(meeting())
    world.session.find_meeting(meeting())
    world.session.update_meeting(made.id, meeting(day=6))


def meetings_deleted(world: SandboxWorld) -> None:
    made = world.session.create_meeting(meeting())
    world.session.delete_meeting(made.id)
    world.session.delete_meeting(made.id)


def refreshed(world: SandboxWorld) -> None:
    world.keeper.token(rejected=world.keeper.tokens.access_token)


CALENDAR: dict[str, Step] = {
    "list_calendars": lambda world: world.session.list_calendars(),
    "busy": busy_read,
    "put_event": events_written,
    "event_times": lambda world: world.session.event_times(world.calendar_id, OTHER_KEY),
    "changes": changes_followed,
    **dict.fromkeys(("watch", "renew"), channel_opened),
    "stop": channel_stopped,
    **dict.fromkeys(("list_rooms", "rooms_busy"), rooms_read),
    "delete_event": events_deleted,
}
CONFERENCE: dict[str, Step] = {
    **dict.fromkeys(("create_meeting", "find_meeting", "update_meeting"), meetings_made),
    "delete_meeting": meetings_deleted,
}
COMMON: dict[str, Step] = {
    "check": lambda world: world.session.check(),
    "refresh": refreshed,
    "revoke": lambda world: world.adapter.revoke(world.keeper.tokens),
}
ENDING = {"stop", "delete_event", "delete_meeting", "revoke"}
STEPS = {
    "google": {**CALENDAR, **COMMON},
    "microsoft": {**CALENDAR, **COMMON},
    "teams": {**CONFERENCE, **COMMON},
    "zoom": {**CONFERENCE, **COMMON},
}


def walked(name: str, *, to_the_end: bool = True) -> tuple[SandboxWorld, list[Exchange]]:
    """The session of one adapter, and what passed over the wire, a batch by its parts. Not `to_the_end`: what
    was made still stands, and the tokens work."""
    recorder = Recorder()
    world = SandboxWorld(name, around=recorder.around)
    for step in dict.fromkeys(step for name, step in STEPS[name].items() if to_the_end or name not in ENDING):
        step(world)
    return world, [part for exchange in recorder.exchanges for part in exchange.parts()]
