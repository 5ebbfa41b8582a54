"""Who may do what: every operation of the schema for every kind of caller, and how keys are made, kept and ended."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from awase.api import api
from awase.models import ApiKey, BookingPage, Connection, Member, Role
from awase.services import keys
from awase.services.keys import Scope
from tests.api.conftest import Program, wish

CALLERS = (
    "nobody",
    "broken key",
    "key without the scope",
    "workspace owner",
    "admin",
    "host",
    "member apart",
    "other workspace",
    "logged in",
    "logged in without proof",
)


@dataclass(frozen=True)
class Route:
    """How an operation is asked, and what those get who are let in to it: {caller: status}, `else` for the rest."""

    path: str
    scope: Scope
    query: tuple[tuple[str, str], ...] = ()
    answers: tuple[tuple[str, int], ...] = ()
    good: int = 200
    body: tuple[tuple[str, Any], ...] = ()


WINDOW = (("from", "2026-12-01T00:00:00Z"), ("to", "2026-12-02T00:00:00Z"))
HIDDEN = (("member apart", 404), ("other workspace", 404))
ROUTES = {
    "list_pages": Route("pages", Scope.PAGES_READ),
    "read_page": Route("pages/consult", Scope.PAGES_READ, answers=HIDDEN),
    "read_slots": Route("pages/consult/slots", Scope.PAGES_READ, query=WINDOW, answers=HIDDEN),
    "create_booking": Route("pages/consult/bookings", Scope.BOOKINGS_WRITE, answers=HIDDEN, good=201),
    "list_bookings": Route("bookings", Scope.BOOKINGS_READ),
    "read_booking": Route("bookings/{booking}", Scope.BOOKINGS_READ, answers=HIDDEN),
    "cancel_booking": Route("bookings/{booking}/cancel", Scope.BOOKINGS_WRITE, answers=HIDDEN),
    # A booking that nobody has to answer, moved and handed to where it is: nothing to do but let in who may.
    "approve_booking": Route("bookings/{booking}/approve", Scope.BOOKINGS_WRITE, answers=HIDDEN, good=409),
    "decline_booking": Route("bookings/{booking}/decline", Scope.BOOKINGS_WRITE, answers=HIDDEN, good=409),
    "move_booking": Route(
        "bookings/{booking}/move", Scope.BOOKINGS_WRITE, answers=HIDDEN, body=(("start", "{start}"),)
    ),
    "reassign_booking": Route(
        "bookings/{booking}/reassign", Scope.BOOKINGS_WRITE, answers=HIDDEN, body=(("member_id", "{owner}"),)
    ),
    "mark_no_show": Route("bookings/{booking}/no-show", Scope.BOOKINGS_WRITE, answers=HIDDEN, good=409),
    "tell_place": Route("bookings/{booking}/place", Scope.BOOKINGS_WRITE, answers=HIDDEN, body=(("place", "東京駅"),)),
    "resend_mail": Route("bookings/{booking}/resend", Scope.BOOKINGS_WRITE, answers=HIDDEN),
    "hold_slot": Route(
        "pages/consult/holds", Scope.BOOKINGS_WRITE, answers=HIDDEN, good=201, body=(("start", "{start}"),)
    ),
    "renew_hold": Route("pages/consult/holds/none/renew", Scope.BOOKINGS_WRITE, answers=HIDDEN, good=409),
    "release_hold": Route("pages/consult/holds/none", Scope.BOOKINGS_WRITE, answers=HIDDEN, good=204),
    "make_one_time_link": Route("pages/consult/one-time-links", Scope.PAGES_WRITE, answers=HIDDEN, good=201),
    "list_one_time_links": Route("pages/consult/one-time-links", Scope.PAGES_READ, answers=HIDDEN),
    "end_one_time_link": Route("pages/consult/one-time-links/{link}", Scope.PAGES_WRITE, answers=HIDDEN, good=204),
    "renew_secret_link": Route("pages/consult/secret-link", Scope.PAGES_WRITE, answers=(*HIDDEN, ("host", 403))),
    "list_connections": Route("connections", Scope.CONNECTIONS_READ),
    "read_history": Route("connections/{connection}/history", Scope.CONNECTIONS_READ, answers=(*HIDDEN, ("host", 404))),
    "check_connection": Route(
        "connections/{connection}/check", Scope.CONNECTIONS_WRITE, answers=(*HIDDEN, ("host", 404))
    ),
}
FOR_ADMINS = (("host", 403), ("member apart", 403))
ROUTES |= {
    "list_webhooks": Route("webhooks", Scope.WEBHOOKS_READ, answers=FOR_ADMINS),
    "create_webhook": Route(
        "webhooks",
        Scope.WEBHOOKS_WRITE,
        answers=FOR_ADMINS,
        good=201,
        body=(("url", "https://hooks.example/awase"),),
    ),
    # There is no such webhook, whoever asks: nothing to do but let in who may.
    "delete_webhook": Route("webhooks/1", Scope.WEBHOOKS_WRITE, answers=FOR_ADMINS, good=404),
    "enable_webhook": Route("webhooks/1/enable", Scope.WEBHOOKS_WRITE, answers=FOR_ADMINS, good=404),
    "list_deliveries": Route("webhooks/1/deliveries", Scope.WEBHOOKS_READ, answers=FOR_ADMINS, good=404),
    "redeliver": Route("webhooks/1/deliveries/1/redeliver", Scope.WEBHOOKS_WRITE, answers=FOR_ADMINS, good=404),
}
NOT_LET_IN = {"nobody": 401, "broken key": 401, "key without the scope": 403, "logged in without proof": 403}


def operations() -> dict[str, str]:
    """Operation id → method, from the schema itself."""
    return {
        operation["operationId"]: method
        for path in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].values()
        for method, operation in path.items()
    }


@pytest.fixture
def callers(
    owner: Member,
    page: BookingPage,
    stranger: Member,
    new_member: Callable[..., Member],
    connect: Callable[..., Connection],
    program: Callable[..., Program],
    log_in: Callable[[Member], Client],
) -> Callable[[str, Scope], Program]:
    """callers(name, scope) is one row of the matrix. The host takes part in the page, and owns nothing."""
    host = new_member("Mori", owner.workspace)
    connect(host)
    page.page_members.create(member=host)
    apart = new_member("Abe", owner.workspace)
    admin = new_member("Kato", owner.workspace, Role.ADMIN)

    def session(*, strict: bool) -> Program:
        client = Client(SERVER_NAME="awase.test", enforce_csrf_checks=strict)
        client.force_login(owner.user)
        return Program(client=client)

    def give(name: str, scope: Scope) -> Program:
        return {
            "nobody": lambda: Program(),
            "broken key": lambda: Program(keys.create(owner, Scope, datetime.now(UTC))[:-1] + "!"),
            "key without the scope": lambda: program(owner, *set(Scope) - {scope}),
            "workspace owner": lambda: program(owner, scope),
            "admin": lambda: program(admin, scope),
            "host": lambda: program(host, scope),
            "member apart": lambda: program(apart, scope),
            "other workspace": lambda: program(stranger, scope),
            "logged in": lambda: session(strict=False),
            "logged in without proof": lambda: session(strict=True),
        }[name]()

    return give


def test_the_matrix_knows_every_operation():
    assert set(operations()) == set(ROUTES)


@pytest.mark.parametrize("operation", ROUTES)
def test_each_operation_lets_in_whom_it_should(
    operation: str,
    callers: Callable[[str, Scope], Program],
    owner: Member,
    calendar: Connection,
    program: Callable[..., Program],
):
    route, method = ROUTES[operation], operations()[operation]
    for number, name in enumerate(CALLERS):
        start = f"2026-12-01T{9 + number // 2:02}:{number % 2 * 3}0:00+09:00"
        uid, link = "", 0
        if "{booking}" in route.path:
            uid = program(owner).post("pages/consult/bookings", wish(start)).body["uid"]
        if "{link}" in route.path:
            link = program(owner).post("pages/consult/one-time-links").body["id"]
        path = route.path.format(booking=uid, connection=calendar.pk, link=link)
        caller = callers(name, route.scope)
        named = {"{start}": start, "{owner}": owner.pk}
        if method == "get":
            answer = caller.get(path, **dict(route.query))
        elif method == "delete":
            answer = caller.delete(path)
        else:
            body = {field: named.get(value, value) for field, value in route.body}
            answer = caller.post(path, wish(start) if operation == "create_booking" else body)
        refused = {caller: status for caller, status in NOT_LET_IN.items() if method != "get" or "proof" not in caller}
        expected = refused.get(name) or dict(route.answers).get(name, route.good)
        assert answer.status == expected, f"{operation} for {name}: {answer.response.content!r}"


def test_lists_hold_nothing_of_other_peoples(
    callers: Callable[[str, Scope], Program], owner: Member, program: Callable[..., Program]
):
    program(owner).post("pages/consult/bookings", wish())
    for name in ("member apart", "other workspace"):
        for operation in ("list_pages", "list_bookings", "list_connections"):
            route = ROUTES[operation]
            assert callers(name, route.scope).get(route.path).body == {"items": [], "next": None}


def test_a_browser_shows_by_the_csrf_token_that_the_page_sent_it(page: BookingPage, owner: Member):
    client = Client(SERVER_NAME="awase.test", enforce_csrf_checks=True)
    client.force_login(owner.user)
    client.cookies["csrftoken"] = token = "a" * 32
    browser = Program(client=client)
    assert browser.post("pages/consult/bookings", wish()).code == "csrf"
    proof = {"X-CSRFToken": token, "Origin": "https://awase.test"}
    assert browser.post("pages/consult/bookings", wish(), **proof).status == 201
    assert browser.post("pages/consult/bookings", wish(), **proof | {"Origin": "https://evil.example"}).code == "csrf"


def test_a_key_that_is_refused_is_not_replaced_by_the_log_in(owner: Member):
    client = Client(SERVER_NAME="awase.test")
    client.force_login(owner.user)
    answer = Program("awase_0_0", client=client).get("pages")
    assert (answer.status, answer.code) == (401, "not_authenticated")
    assert answer.response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Basic YTpi", "Bearer", "Bearer awase", "Bearer awase__", "Bearer \u00e9", "x" * 9000]
)
def test_what_is_no_key_is_answered_as_such(db: None, header: str):
    answer = Client(SERVER_NAME="awase.test").get("/api/v1/pages", headers={"Authorization": header})
    assert answer.status_code == 401


def test_the_secret_of_a_key_is_stored_nowhere(owner: Member):
    token = keys.create(owner, [Scope.PAGES_READ], datetime.now(UTC))
    key = ApiKey.objects.get()
    secret = token.split("_", 2)[2]
    assert len(secret) >= 43
    assert all(secret not in str(value) for value in vars(key).values())


def test_a_key_ends_with_its_members_log_in(owner: Member, program: Callable[..., Program]):
    caller = program(owner)
    assert caller.get("pages").status == 200
    owner.user.is_active = False
    owner.user.save()
    assert caller.get("pages").status == 401


def test_the_last_use_of_a_key_is_kept_to_the_minute(owner: Member, clock: Any, program: Callable[..., Program]):
    caller = program(owner)
    used = []
    for pause in (0, 30, 30):
        clock.shift(pause)
        caller.get("pages")
        used.append(ApiKey.objects.get().last_used)
    assert used[0] == used[1] < used[2]


def test_a_key_that_asks_too_often_waits_for_the_next_minute(
    owner: Member, teammate: Member, clock: Any, program: Callable[..., Program]
):
    caller, other = program(owner), program(teammate)
    clock.shift(10)
    codes = [caller.post("connections/1/check").code for _ in range(13)]
    assert codes == ["not_found"] * 12 + ["too_many_requests"]
    answer = caller.post("connections/1/check")
    assert (answer.status, answer.response.headers["Retry-After"]) == (429, "50")
    assert other.post("connections/1/check").status == 404
    assert caller.get("pages").status == 200
    clock.shift(50)
    assert caller.post("connections/1/check").status == 404


def test_the_command_makes_a_key_that_works_and_another_ends_it(owner: Member):
    output = io.StringIO()
    call_command("create_api_key", "Tanaka@minato.example", "--scopes", "pages:read", "bookings:read", stdout=output)
    token = output.getvalue().strip()
    assert Program(token).get("pages").status == 200
    assert Program(token).get("connections").code == "missing_scope"
    call_command("end_api_key", token.split("_")[1], stdout=io.StringIO())
    assert Program(token).get("pages").status == 401


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nobody@minato.example", "--scopes", "pages:read"], "no member"),
        (["tanaka@minato.example", "--scopes", "everything"], "invalid"),
        (["tanaka@minato.example", "--workspace", "other", "--scopes", "pages:read"], "no member"),
    ],
)
def test_the_command_refuses_what_it_cannot_make(owner: Member, arguments: list[str], complaint: str):
    with pytest.raises(CommandError, match=complaint):
        call_command("create_api_key", *arguments)
    assert not ApiKey.objects.exists()


def test_the_command_asks_which_workspace_is_meant(owner: Member, stranger: Member):
    Member.objects.create(workspace=stranger.workspace, user=owner.user)
    with pytest.raises(CommandError, match="several workspaces"):
        call_command("create_api_key", "tanaka@minato.example", "--scopes", "pages:read")
    with pytest.raises(CommandError, match="no key"):
        call_command("end_api_key", "0")
