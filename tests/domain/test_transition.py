"""How the recorded state of a connection moves, sentence by sentence of section 2."""

from datetime import UTC, datetime, timedelta

import pytest

from awase.domain.errors import Capability, Failure, FailureClass, FailureScope, ProviderError, Reason
from awase.domain.health import Recorded, Standing
from awase.domain.transition import Cause, after_failure, after_good, after_partial, outdated, probe_due

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
EARLIER, LATER = NOON - timedelta(minutes=10), NOON + timedelta(minutes=10)

OK = Recorded(Standing.OK, None, last_good=NOON, since=EARLIER)
DEGRADED = Recorded(Standing.DEGRADED, None, last_good=EARLIER, since=NOON)
UNREACHABLE = Recorded(Standing.ERROR, Reason.UNREACHABLE, last_good=EARLIER, since=NOON)
REVOKED = Recorded(Standing.ERROR, Reason.REVOKED, last_good=EARLIER, since=NOON)


def failure(kind: FailureClass, scope: FailureScope = FailureScope.CONNECTION, *, alert: bool = False) -> Failure:
    reason = Reason.EXPIRED if kind is FailureClass.RECONNECT else None
    return Failure(kind, scope, "T01", reason, Capability.TEAMS, alert=alert)


@pytest.mark.parametrize("before", [OK, DEGRADED, UNREACHABLE, REVOKED])
def test_a_failure_that_needs_the_person_is_an_error_at_once(before: Recorded) -> None:
    after = after_failure(before, failure(FailureClass.RECONNECT), now=LATER)
    assert (after.standing, after.reason, after.since) == (Standing.ERROR, Reason.EXPIRED, LATER)
    assert after.last_good == before.last_good


def test_the_same_error_again_lasts_since_it_began() -> None:
    begun = after_failure(OK, failure(FailureClass.RECONNECT), now=NOON)
    assert after_failure(begun, failure(FailureClass.RECONNECT), now=LATER).since == NOON


def test_a_transient_failure_degrades_and_sets_no_clock_back() -> None:
    after = after_failure(OK, failure(FailureClass.RETRY), now=LATER)
    assert after == Recorded(Standing.DEGRADED, None, last_good=NOON, since=LATER)
    assert after_failure(after, failure(FailureClass.RETRY), now=LATER + timedelta(hours=1)).since == LATER


def test_a_refusal_that_nobody_knows_degrades_too() -> None:
    after = after_failure(OK, failure(FailureClass.BAD_REQUEST, alert=True), now=LATER)
    assert after.standing is Standing.DEGRADED


@pytest.mark.parametrize("before", [UNREACHABLE, REVOKED])
def test_an_outage_changes_no_error(before: Recorded) -> None:
    assert after_failure(before, failure(FailureClass.RETRY), now=LATER) == before


@pytest.mark.parametrize(
    "harmless",
    [
        failure(FailureClass.RATE_LIMITED),
        failure(FailureClass.RATE_LIMITED, alert=True),
        failure(FailureClass.BAD_REQUEST),
        failure(FailureClass.NOT_FOUND, FailureScope.CALENDAR),
        failure(FailureClass.RECONNECT, FailureScope.CAPABILITY),
    ],
)
@pytest.mark.parametrize("before", [OK, DEGRADED, UNREACHABLE, REVOKED])
def test_what_says_nothing_about_the_connection_leaves_it_as_it_is(before: Recorded, harmless: Failure) -> None:
    assert after_failure(before, harmless, now=LATER) == before


@pytest.mark.parametrize("before", [OK, DEGRADED, UNREACHABLE, REVOKED])
def test_a_fault_of_ours_marks_nobody_and_is_remembered(before: Recorded) -> None:
    after = after_failure(before, failure(FailureClass.APP_CONFIG, FailureScope.APP), now=LATER)
    assert (after.standing, after.reason, after.since) == (before.standing, before.reason, before.since)
    assert after.our_fault


def test_an_outage_after_our_fault_is_the_service_s_fault() -> None:
    ours = after_failure(DEGRADED, failure(FailureClass.APP_CONFIG), now=NOON)
    assert not after_failure(ours, failure(FailureClass.RETRY), now=LATER).our_fault


@pytest.mark.parametrize("before", [DEGRADED, UNREACHABLE, REVOKED])
def test_a_good_check_clears_everything(before: Recorded) -> None:
    assert after_good(before, now=LATER) == Recorded(Standing.OK, None, last_good=LATER, since=LATER)


def test_a_good_check_of_a_good_connection_only_moves_the_clock_and_never_back() -> None:
    assert after_good(OK, now=LATER) == Recorded(Standing.OK, None, last_good=LATER, since=EARLIER)
    assert after_good(OK, now=EARLIER).last_good == NOON


def test_a_call_that_proves_the_credential_ends_an_error_that_needed_a_person_only() -> None:
    after = after_partial(REVOKED, now=LATER)
    assert after == Recorded(Standing.DEGRADED, None, last_good=EARLIER, since=LATER)
    for other in (OK, DEGRADED, UNREACHABLE):
        assert after_partial(other, now=LATER) == other


def test_news_from_before_what_is_on_record_changes_nothing() -> None:
    assert outdated(OK, good=False, began=EARLIER)
    assert not outdated(OK, good=False, began=NOON)
    assert outdated(REVOKED, good=True, began=EARLIER)
    assert not outdated(REVOKED, good=True, began=NOON)
    assert not outdated(UNREACHABLE, good=True, began=EARLIER), "an outage ends with whatever success"
    assert not outdated(Recorded(Standing.OK, None, None, NOON), good=False, began=EARLIER)


def test_a_person_caused_what_a_person_did() -> None:
    noticed = {Cause.CHECK, Cause.CALL, Cause.LIVE_CHECK, Cause.PUSH}
    assert {cause for cause in Cause if not cause.by_hand} == noticed


def test_probes_come_after_an_hour_six_hours_later_and_then_once_a_day() -> None:
    minutes = range(0, 60 * 24 * 4, 5)
    asked = [m for m in minutes if probe_due(NOON, now=NOON + timedelta(minutes=m), within=timedelta(minutes=5))]
    assert asked == [60, 7 * 60, 31 * 60, 55 * 60, 79 * 60]


def test_a_failure_that_is_raised_says_symptom_class_and_detail() -> None:
    failed = Failure(FailureClass.RETRY, FailureScope.CONNECTION, "G20", detail="HTTP 503")
    error = ProviderError(failed)
    assert error.failure is failed and str(error) == "G20 retry: HTTP 503"
