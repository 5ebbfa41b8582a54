"""Every row of the symptom table (providers.md, section 9), each through HTTP and an operation that can meet it."""

from typing import Any

import pytest

from awase.domain.errors import Failure
from awase.providers.history import seen_again
from awase.providers.zoom_webhooks import user_news
from tests.providers.scripted import NOW, TwoTokens, Wire, adapter, failure_of, refreshed, reply, session
from tests.providers.symptoms import ACTS, CASES, Case, sts


def described(one: Case) -> str:
    return f"{one.row}-{one.service}-{one.act or 'refresh'}"


def assert_fits(failure: Failure | None, one: Case) -> None:
    if one.expect == "success":
        assert failure is None
        return
    assert failure is not None
    kind, scope, reason = one.expect.split()
    assert failure.kind == kind
    assert scope in ("-", failure.scope)
    assert (failure.reason or "-") == reason
    if one.seconds is not None:
        assert failure.retry_at is not None
        assert (failure.retry_at - NOW).total_seconds() == one.seconds


@pytest.mark.parametrize("one", CASES, ids=described)
def test_each_symptom_is_classified_as_the_table_says(one: Case) -> None:
    wire = Wire(*one.answers)
    if one.act is None:
        made = adapter(one.service, wire)
        failure = failure_of(lambda: refreshed(made))
    else:
        failure = failure_of(lambda: ACTS[one.act](one.service, session(one.service, wire)))
    assert_fits(failure, one)
    if failure is not None and one.row not in ("M31", "Z17", "D13", "X02", "X03"):
        assert failure.symptom == one.row


# The rows that need memory or come by webhook


def first_failure(service: str, act: str | None, status: int, body: Any) -> Failure:
    wire = Wire(reply(status, body))
    made = adapter(service, wire)
    failure = failure_of(
        (lambda: refreshed(made)) if act is None else lambda: ACTS[act](service, session(service, wire))
    )
    assert failure is not None
    return failure


def test_m10b_the_same_refusal_from_two_tenants_is_our_own_fault() -> None:
    failure = first_failure("microsoft", None, 400, sts(7000112, "unauthorized_client"))
    alone = seen_again(failure, first_seen=NOW, now=NOW, tenants=1)
    assert (alone.symptom, alone.kind) == ("M10c", "reconnect")
    shared = seen_again(failure, first_seen=NOW, now=NOW, tenants=2)
    assert (shared.symptom, shared.kind, shared.scope, shared.reason) == ("M10b", "app_config", "app", None)


def test_m10e_a_lockout_of_an_hour_needs_the_person() -> None:
    failure = first_failure("microsoft", None, 400, sts(50053))
    assert seen_again(failure, first_seen=NOW, now=NOW.replace(minute=59)).kind == "retry"
    later = seen_again(failure, first_seen=NOW, now=NOW.replace(hour=13))
    assert (later.kind, later.reason) == ("reconnect", "account_disabled")


def test_d02b_a_second_401_after_ten_minutes_is_the_password() -> None:
    failure = first_failure("caldav", "check", 401, "")
    assert seen_again(failure, first_seen=NOW, now=NOW.replace(minute=9)).symptom == "D02a"
    later = seen_again(failure, first_seen=NOW, now=NOW.replace(minute=10))
    assert (later.symptom, later.kind, later.reason) == ("D02b", "reconnect", "app_password_invalid")
    assert later.retry_at is None


def test_d02b_a_401_while_connecting_is_the_password_at_once() -> None:
    made = adapter("caldav", Wire(reply(401)))
    failure = failure_of(lambda: made.connect("dav.example", "hanako", "wrong"))
    assert failure is not None
    assert (failure.symptom, failure.reason) == ("D02b", "app_password_invalid")


def test_z18_a_removed_app_needs_the_person() -> None:
    said = {"user_id": "u1", "account_id": "a", "client_id": "c", "deauthorization_time": "2031-03-05T12:00:00.000Z"}
    found = user_news({"event": "app_deauthorized", "payload": said})
    assert found is not None
    failure = found.failure
    assert failure is not None
    assert (found.user_id, found.at) == ("u1", NOW)
    assert (failure.symptom, failure.kind, failure.scope) == ("Z18", "reconnect", "connection")
    assert failure.reason == "app_deauthorized"
    assert user_news({"event": "meeting.started"}) is None


def test_every_row_of_the_table_is_covered() -> None:
    told = {one.row for one in CASES}
    told |= {"M10b", "M10e", "D02b", "Z18"}  # by the tests above
    rows = [f"G{n:02}" for n in range(1, 30)]
    rows += [f"M{n:02}" for n in range(1, 36)] + ["M10b", "M10c", "M10d", "M10e"]
    rows += [f"Z{n:02}" for n in range(1, 20)]
    rows += ["D01", "D02a", "D02b", *(f"D{n:02}" for n in range(3, 15)), "X01", "X02", "X03"]
    assert len(rows) == 105
    assert set(rows) - told == set()


# What holds for several rows


@pytest.mark.parametrize("row", ["G20", "M24", "D03"])
def test_a_stale_sync_token_asks_for_a_full_read_and_alarms_nobody(row: str) -> None:
    one = next(each for each in CASES if each.row == row)
    failure = failure_of(lambda: ACTS[one.act or ""](one.service, session(one.service, Wire(*one.answers))))
    assert failure is not None
    assert failure.resync
    assert not failure.alert


@pytest.mark.parametrize("row", ["M13", "X03"])
def test_what_we_did_not_expect_alarms_the_operators(row: str) -> None:
    one = next(each for each in CASES if each.row == row and each.act is None)
    made = adapter(one.service, Wire(*one.answers))
    failure = failure_of(lambda: refreshed(made))
    assert failure is not None
    assert failure.alert


@pytest.mark.parametrize("row", ["G10", "M16", "Z06"])
def test_a_rejected_token_is_renewed_once_and_the_call_repeated_once(row: str) -> None:
    one = next(each for each in CASES if each.row == row)
    wire, tokens = Wire(*one.answers), TwoTokens()
    ACTS[one.act or ""](one.service, session(one.service, wire, tokens))
    assert tokens.rejected == ["stale"]
    assert [request.headers["authorization"] for request in wire.requests] == ["Bearer stale", "Bearer fresh"]


@pytest.mark.parametrize("row", ["G11", "M17", "Z07"])
def test_a_fresh_token_that_is_rejected_is_not_renewed_again(row: str) -> None:
    one = next(each for each in CASES if each.row == row)
    wire, tokens = Wire(*one.answers), TwoTokens()
    failure_of(lambda: ACTS[one.act or ""](one.service, session(one.service, wire, tokens)))
    assert tokens.rejected == ["stale"]
    assert len(wire.requests) == 2


@pytest.mark.parametrize("one", CASES, ids=described)
def test_no_secret_and_no_prose_gets_into_the_detail(one: Case) -> None:
    wire = Wire(*one.answers)
    made = adapter(one.service, wire)
    failure = failure_of(
        (lambda: refreshed(made)) if one.act is None else lambda: ACTS[one.act](one.service, session(one.service, wire))
    )
    detail = failure.detail if failure else ""
    for leak in ("stale", "fresh", "refresh", "client-secret", "app-password", "prose", "somebody", "://", "@"):
        assert leak not in detail
