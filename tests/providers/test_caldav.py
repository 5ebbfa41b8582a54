"""CalDAV alone: finding the calendars, redirects, times and answers in iCalendar, concurrent changes."""

import subprocess
import sys
from typing import Any

import httpx2
import pytest

from awase.domain.errors import Failure, FailureClass, ProviderError
from awase.providers.caldav import CalDAV, DavAccess
from awase.providers.dav_xml import multistatus
from awase.providers.guard import build_guarded_client
from awase.providers.protocols import EventDraft
from tests.providers.radicale import PASSWORD, USER, RadicaleWorld
from tests.providers.scripted import DAV, NOW, Wire, adapter, failure_of, reply, session
from tests.providers.worlds import at

KEY = "0123456789abcdef0123456789abcdef"
MAIN = "https://dav.example/home/main/"


def draft(day: int = 5) -> EventDraft:
    return EventDraft(KEY, "Talk", at(day, 1), at(day, 2), "Asia/Tokyo")


def failing(act: Any) -> Failure:
    failure = failure_of(act)
    assert failure is not None
    return failure


def status(*responses: str) -> httpx2.Response | Exception:
    body = "".join(f"<d:response>{response}</d:response>" for response in responses)
    namespaces = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
    return reply(207, f'<?xml version="1.0"?><d:multistatus {namespaces}>{body}</d:multistatus>')


def found(href: str, properties: str) -> str:
    propstat = f"<d:propstat><d:prop>{properties}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
    return f"<d:href>{href}</d:href>{propstat}"


PRINCIPAL = status(found("/", "<d:current-user-principal><d:href>/me/</d:href></d:current-user-principal>"))
HOME = status(
    found(
        "/me/",
        "<d:displayname>Hanako</d:displayname>"
        "<c:calendar-home-set><d:href>https://p07.dav.example/home/</d:href></c:calendar-home-set>"
        "<c:calendar-user-address-set><d:href>mailto:Hanako@Minato.example</d:href>"
        "<d:href>/me/</d:href></c:calendar-user-address-set>",
    )
)
NO_CALENDARS = status(found("/home/", "<d:resourcetype><d:collection/></d:resourcetype>"))


# Connecting


def test_connecting_finds_account_and_calendars(caldav: RadicaleWorld) -> None:
    assert caldav.linked.email == USER
    assert caldav.linked.id.startswith(caldav.address)
    assert caldav.access.home == caldav.root
    assert PASSWORD not in repr(caldav.access)
    assert [calendar.id for calendar in caldav.session.list_calendars()] == [caldav.calendar_id]


def test_a_wrong_password_is_said_at_once(caldav: RadicaleWorld) -> None:
    failure = failing(lambda: caldav.adapter.connect(caldav.address, USER, "wrong"))
    assert (failure.kind, failure.reason) == (FailureClass.RECONNECT, "app_password_invalid")


def test_a_wrong_password_later_asks_for_ten_minutes_of_silence(caldav: RadicaleWorld) -> None:
    stale = DavAccess(USER, "changed", caldav.access.home)
    failure = failing(caldav.adapter.session(stale).check)
    assert (failure.symptom, failure.kind) == ("D02a", FailureClass.RETRY)
    assert failure.retry_at is not None


def test_a_refused_password_is_not_tried_at_the_next_calendar() -> None:
    wire = Wire(reply(401))
    calendars = [f"https://dav.example/home/{name}/" for name in ("work", "private", "club")]
    failure = failing(lambda: session("caldav", wire).busy(calendars, at(1), at(9)))
    assert (failure.symptom, failure.scope) == ("D02a", "connection")
    assert len(wire.requests) == 1


def test_the_home_may_be_on_another_host_which_gets_the_credentials() -> None:
    wire = Wire(PRINCIPAL, HOME, NO_CALENDARS)
    account, access = adapter("caldav", wire).connect("dav.example", "hanako", "pw", time_zone="Asia/Tokyo")
    assert access.home == "https://p07.dav.example/home/"
    assert access.addresses == ("hanako@minato.example",)
    assert (account.id, account.email, account.name) == ("https://dav.example/me/", "hanako@minato.example", "Hanako")
    assert wire.requests[-1].url.host == "p07.dav.example"
    assert wire.requests[-1].headers["authorization"] == wire.requests[0].headers["authorization"]


def test_an_account_is_known_by_who_logs_in_not_by_whose_address_was_typed() -> None:
    """Servers on which everybody may read everybody's calendars show their principals too."""
    home = "<c:calendar-home-set><d:href>/home/boss/</d:href></c:calendar-home-set>"
    shown = status(found("/boss/", f"<d:current-user-principal><d:href>/me/</d:href></d:current-user-principal>{home}"))
    wire = Wire(shown, HOME, NO_CALENDARS)
    account, access = adapter("caldav", wire).connect("https://dav.example/boss/", "hanako", "pw")
    assert (account.id, access.home) == ("https://dav.example/me/", "https://p07.dav.example/home/")


def test_the_well_known_address_is_tried_and_its_redirect_followed() -> None:
    moved = reply(301, "", {"Location": "/remote.php/dav/"})
    wire = Wire(reply(404), moved, PRINCIPAL, HOME, NO_CALENDARS)
    adapter("caldav", wire).connect("https://cloud.example", "hanako", "pw")
    assert [request.url.path for request in wire.requests[:3]] == ["/", "/.well-known/caldav", "/remote.php/dav/"]
    assert {request.method for request in wire.requests} == {"PROPFIND"}


def test_a_redirect_away_from_tls_is_refused() -> None:
    wire = Wire(reply(302, "", {"Location": "http://dav.example/"}), PRINCIPAL)
    assert failing(lambda: adapter("caldav", wire).connect("dav.example", "hanako", "pw")).detail == "scheme"
    assert len(wire.requests) == 1


def test_a_redirect_inside_is_refused_before_it_is_called(caldav: RadicaleWorld) -> None:
    caldav.answer(302, "", {"Location": "http://169.254.169.254/latest/"})
    caldav.detour.once = True
    failure = failing(lambda: caldav.adapter.connect(caldav.address, USER, PASSWORD))
    assert (failure.symptom, failure.detail) == ("address_refused", "private")


def test_redirects_in_a_circle_end() -> None:
    wire = Wire(reply(302, "", {"Location": "/again/"}))
    failure = failing(lambda: session("caldav", wire).check())
    assert failure.kind is FailureClass.RETRY
    assert len(wire.requests) <= 12


def test_an_address_without_caldav_is_not_found() -> None:
    failure = failing(lambda: adapter("caldav", Wire(reply(404))).connect("example.com", "hanako", "pw"))
    assert failure.kind is FailureClass.NOT_FOUND


@pytest.mark.parametrize("address", ["https://", "https://exa mple.com", "https://[::bad", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["10.0.0.1"]

    client = build_guarded_client(resolver=resolver)
    failure = failing(lambda: CalDAV(client).connect(address, "hanako", "pw"))
    assert (failure.symptom, failure.detail) == ("address_refused", "host")
    assert asked == []


def test_only_collections_with_events_are_calendars() -> None:
    kind = "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
    read_only = "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege></d:current-user-privilege-set>"
    tasks = '<c:supported-calendar-component-set><c:comp name="VTODO"/></c:supported-calendar-component-set>'
    trashed = kind.replace("<d:collection/>", '<d:collection/><n:deleted-calendar xmlns:n="http://nextcloud.com/ns"/>')
    wire = Wire(
        status(
            found("/home/", "<d:resourcetype><d:collection/></d:resourcetype>"),
            found("/home/work/", f"{kind}<d:displayname>Work</d:displayname>"),
            found("/home/team/", kind + read_only),
            found("/home/tasks/", kind + tasks),
            found("/home/trash/", trashed),
        )
    )
    calendars = session("caldav", wire).list_calendars()
    assert [(calendar.id, calendar.name, calendar.writable) for calendar in calendars] == [
        ("https://dav.example/home/work/", "Work", True),
        ("https://dav.example/home/team/", "team", False),
    ]


# Busy times


def busy(world: RadicaleWorld) -> list[tuple[Any, Any]]:
    events = world.session.busy([world.calendar_id], at(1), at(28))[world.calendar_id]
    return [(event.start, event.end) for event in events]


def test_floating_times_are_times_of_the_calendars_zone(caldav: RadicaleWorld) -> None:
    caldav.seed_raw("DTSTART:20310305T100000", "DTEND:20310305T110000")
    assert busy(caldav) == [(at(5, 1), at(5, 2))]


def test_a_calendar_without_a_zone_uses_the_members(caldav: RadicaleWorld) -> None:
    calendar_id = caldav.add_calendar("Bare", zone="")
    caldav.seed_raw("DTSTART;VALUE=DATE:20310305", "DTEND;VALUE=DATE:20310306", calendar_id=calendar_id)
    (event,) = caldav.session.busy([calendar_id], at(1), at(28))[calendar_id]
    assert (event.start, event.end) == (at(4, 15), at(5, 15))


@pytest.mark.parametrize("zone", ["Tokyo Standard Time", "Asia/Tokyo"])
def test_named_zones_are_understood_also_by_their_windows_names(caldav: RadicaleWorld, zone: str) -> None:
    caldav.seed_raw(f"DTSTART;TZID={zone}:20310305T100000", f"DTEND;TZID={zone}:20310305T110000")
    assert busy(caldav) == [(at(5, 1), at(5, 2))]


def test_a_duration_and_a_bare_date_have_their_ends(caldav: RadicaleWorld) -> None:
    caldav.seed_raw("DTSTART:20310305T010000Z", "DURATION:PT90M")
    caldav.seed_raw("DTSTART;VALUE=DATE:20310306")
    assert sorted(busy(caldav)) == [(at(5, 1), at(5, 2, 30)), (at(5, 15), at(6, 15))]


def test_an_event_without_length_is_not_busy(caldav: RadicaleWorld) -> None:
    caldav.seed_raw("DTSTART:20310305T010000Z")
    assert busy(caldav) == []


def test_a_series_keeps_its_hour_over_the_change_of_the_clocks_and_its_exceptions(caldav: RadicaleWorld) -> None:
    caldav.seed_raw(
        "DTSTART;TZID=America/New_York:20310303T090000",
        "DTEND;TZID=America/New_York:20310303T100000",
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "EXDATE;TZID=America/New_York:20310317T090000",
    )
    assert [start for start, _ in busy(caldav)] == [at(3, 14), at(10, 13), at(24, 13)]


def test_the_zone_is_asked_for_only_where_a_time_needs_it() -> None:
    plain = ics("DTSTART:20310305T010000Z", "DTEND:20310305T020000Z")
    floating = ics("DTSTART:20310305T010000", "DTEND:20310305T020000")
    for text, calls in ((plain, 1), (floating, 2)):
        wire = Wire(status(data(text)), status(found(MAIN, "")))
        session("caldav", wire).busy([MAIN], at(1), at(28))
        assert len(wire.requests) == calls


def test_an_endless_series_is_read_for_the_span_alone(caldav: RadicaleWorld) -> None:
    caldav.seed_raw("DTSTART:20200101T010000Z", "DTEND:20200101T020000Z", "RRULE:FREQ=DAILY")
    assert len(busy(caldav)) == 27


def test_invitations_of_others_that_somebody_else_declined_still_count(caldav: RadicaleWorld) -> None:
    span = ("DTSTART:20310305T010000Z", "DTEND:20310305T020000Z")
    caldav.seed_raw(*span, "ATTENDEE;PARTSTAT=DECLINED:mailto:taro@guest.example")
    caldav.seed_raw(*span, f"ATTENDEE;PARTSTAT=DECLINED:mailto:{USER.upper()}")
    assert len(busy(caldav)) == 1


@pytest.mark.parametrize("line", ["STATUS:TENTATIVE", f"ATTENDEE;PARTSTAT=TENTATIVE:mailto:{USER}"])
def test_what_is_not_sure_is_marked(caldav: RadicaleWorld, line: str) -> None:
    caldav.seed_raw("DTSTART:20310305T010000Z", "DTEND:20310305T020000Z", line)
    (event,) = caldav.session.busy([caldav.calendar_id], at(1), at(9))[caldav.calendar_id]
    assert event.tentative


def ics(*lines: str) -> str:
    event = "\r\n".join(("BEGIN:VEVENT", "UID:u", "DTSTAMP:20310101T000000Z", *lines, "END:VEVENT"))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event}\r\nEND:VCALENDAR\r\n"


def read(*responses: str) -> Failure | None:
    wire = Wire(status(*responses), status(found(MAIN, "")))
    return failure_of(lambda: session("caldav", wire).busy([MAIN], at(1), at(28)))


def data(text: str) -> str:
    return found("/home/main/u.ics", f"<c:calendar-data>{text}</c:calendar-data>")


@pytest.mark.parametrize(
    "text",
    [
        "no calendar at all",
        ics("DTSTART:soon", "DTEND:20310305T020000Z"),
        ics("DTEND:20310305T020000Z"),
        ics("DTSTART:20310305T010000Z", "DTEND:20310305T010001Z", "RRULE:FREQ=SECONDLY"),
        ics("DTSTART:20310305T010000Z", "DTEND:20310305T010030Z", "RRULE:FREQ=MINUTELY"),
    ],
)
def test_an_event_that_cannot_be_read_makes_the_calendar_unknown(text: str) -> None:
    failure = read(data(text))
    assert failure is not None
    assert failure.kind is FailureClass.RETRY


def test_a_part_without_its_data_makes_the_calendar_unknown() -> None:
    assert read(found("/home/main/u.ics", "<d:getetag>1</d:getetag>")) is not None
    assert read("<d:href>/home/main/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status>") is not None


def test_a_part_that_vanished_meanwhile_is_left_out() -> None:
    assert read("<d:href>/home/main/u.ics</d:href><d:status>HTTP/1.1 404 Not Found</d:status>") is None


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><d:multistatus xmlns:d="DAV:">&b;</d:multistatus>',
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><d:multistatus xmlns:d="DAV:">&f;</d:multistatus>',
        '<?xml version="1.0" encoding="no-such"?><d:multistatus xmlns:d="DAV:"/>',
        "<d:multistatus",
        "",
    ],
)
def test_dangerous_and_broken_xml_is_not_read(body: str) -> None:
    assert multistatus(body.encode()) is None


# Writing


def test_a_new_event_carries_key_times_and_no_people(caldav: RadicaleWorld) -> None:
    written = caldav.session.put_event(caldav.calendar_id, draft())
    assert written.id == f"{caldav.calendar_id}{KEY}.ics"
    assert written.etag
    text = caldav.browser.get(written.id).text
    for line in (f"UID:{KEY}", "DTSTART:20310305T010000Z", "DTEND:20310305T020000Z", "SUMMARY:Talk"):
        assert line in text
    assert "ATTENDEE" not in text


def test_what_people_added_survives_a_move(caldav: RadicaleWorld) -> None:
    written = caldav.session.put_event(caldav.calendar_id, draft())
    text = caldav.browser.get(written.id).text.replace("END:VEVENT", "X-NOTE:mine\r\nCOLOR:red\r\nEND:VEVENT")
    caldav.browser.put(written.id, content=text.encode())
    caldav.session.put_event(caldav.calendar_id, draft(day=6), written.id)
    moved = caldav.browser.get(written.id).text
    assert "X-NOTE:mine" in moved
    assert "DTSTART:20310306T010000Z" in moved
    assert "SEQUENCE:1" in moved


def test_a_change_between_look_and_write_is_looked_at_again() -> None:
    ours = ics("DTSTART:20310305T010000Z").replace("UID:u", f"UID:{KEY}")
    first, second = reply(200, ours, {"ETag": '"1"'}), reply(200, ours, {"ETag": '"2"'})
    wire = Wire(first, reply(412), second, reply(204, "", {"ETag": '"3"'}))
    assert session("caldav", wire).put_event(MAIN, draft()).etag == '"3"'
    assert [request.headers.get("if-match") for request in wire.requests] == [None, '"1"', None, '"2"']


def test_an_event_that_changes_all_the_time_is_left_for_later() -> None:
    ours = ics("DTSTART:20310305T010000Z").replace("UID:u", f"UID:{KEY}")
    look = reply(200, ours, {"ETag": '"1"'})
    failure = failing(lambda: session("caldav", Wire(look, reply(412), look, reply(412))).put_event(MAIN, draft()))
    assert (failure.symptom, failure.kind) == ("D08", FailureClass.BAD_REQUEST)


def test_a_new_event_never_overwrites_another() -> None:
    wire = Wire(reply(404), reply(201))
    session("caldav", wire).put_event(MAIN, draft())
    assert wire.requests[1].headers["if-none-match"] == "*"


@pytest.mark.parametrize("event_id", ["https://elsewhere.example/home/main/x.ics", "http://dav.example/home/x.ics"])
def test_an_event_elsewhere_does_not_get_the_credentials(event_id: str) -> None:
    wire = Wire(reply(200))
    with pytest.raises(ProviderError):
        session("caldav", wire).delete_event(MAIN, KEY, event_id)
    assert wire.requests == []


def test_a_session_asks_with_basic_credentials_and_never_in_the_address() -> None:
    wire = Wire(NO_CALENDARS)
    session("caldav", wire).check()
    (request,) = wire.requests
    assert request.headers["authorization"].startswith("Basic ")
    assert DAV.password not in str(request.url)


def test_the_stamp_of_writing_is_the_given_clock() -> None:
    wire = Wire(reply(404), reply(201))
    session("caldav", wire).put_event(MAIN, draft())
    assert f"DTSTAMP:{NOW:%Y%m%dT%H%M%SZ}" in wire.requests[1].content.decode()


def test_two_threads_that_are_the_first_to_read_calendars_do_not_get_half_of_a_library() -> None:
    """As in a process that has just started; each way in alone has always worked."""
    program = """
import threading
from awase.providers import ical
wrong, ready = [], threading.Barrier(2)
def first(act):
    ready.wait()
    try:
        act()
    except ImportError as error:
        wrong.append(error)
acts = (lambda: ical.zone_named("Tokyo Standard Time"), lambda: ical.parsed("BEGIN:VCALENDAR\\nEND:VCALENDAR"))
threads = [threading.Thread(target=first, args=(act,)) for act in acts]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(wrong))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
