"""Zoom alone: what a meeting is made of, lost answers, daily limits, and calls that Zoom makes to us."""

from datetime import UTC, datetime, timedelta

import pytest

from awase.domain.errors import FailureClass, ProviderError
from awase.providers.protocols import MeetingDraft
from awase.providers.zoom_webhooks import signed, validation_reply
from tests.providers.scripted import NOW, Wire, failure_of, reply, session
from tests.providers.worlds import SandboxWorld, at

KEY = "0123456789abcdef0123456789abcdef"
MADE = {"id": 81234567890, "join_url": "https://zoom.us/j/81234567890", "password": "abc123", "start_url": "secret"}


def draft(key: str = KEY, title: str = "Talk", day: int = 5) -> MeetingDraft:
    return MeetingDraft(key, title, at(day, 1), at(day, 1, 45), "Asia/Tokyo")


def test_a_meeting_has_topic_start_length_and_password(zoom: SandboxWorld) -> None:
    made = zoom.session.create_meeting(draft())
    held = zoom.account.meetings[made.id]
    assert (held["topic"], held["start_time"], held["duration"]) == ("Talk", "2031-03-05T01:00:00Z", 45)
    assert held["timezone"] == "Asia/Tokyo"
    assert made.password == held["password"]


def test_the_hosts_own_link_is_not_kept() -> None:
    made = session("zoom", Wire(reply(201, MADE))).create_meeting(draft())
    assert "secret" not in repr(made)


def test_a_long_title_is_cut_to_what_zoom_takes(zoom: SandboxWorld) -> None:
    made = zoom.session.create_meeting(draft(title="長" * 300))
    assert len(zoom.account.meetings[made.id]["topic"]) == 200


def test_a_lost_answer_is_looked_up_and_the_password_with_it(zoom: SandboxWorld) -> None:
    zoom.fault("lost_answer", "meetings.create")
    made = zoom.session.create_meeting(draft())
    assert list(zoom.account.meetings) == [made.id]
    assert made.password == zoom.account.meetings[made.id]["password"]


def test_a_create_that_never_arrived_is_told_and_nothing_is_made_up(zoom: SandboxWorld) -> None:
    zoom.fault("timeout", "meetings.create")
    failure = failure_of(lambda: zoom.session.create_meeting(draft()))
    assert failure is not None
    assert failure.kind is FailureClass.RETRY
    assert zoom.session.find_meeting(draft()) is None


def test_another_meeting_at_the_same_time_under_the_same_title_is_not_taken_for_ours(zoom: SandboxWorld) -> None:
    zoom.session.create_meeting(draft(key="f" * 32))
    assert zoom.session.find_meeting(draft()) is None
    assert zoom.session.find_meeting(draft(key="f" * 32)) is not None


def test_a_meeting_is_found_where_the_list_leaves_the_agenda_out() -> None:
    item = {"id": 81234567890, "topic": "Talk", "start_time": "2031-03-05T01:00:00Z"}
    wire = Wire(reply(200, {"meetings": [item]}), reply(200, MADE))
    found = session("zoom", wire).find_meeting(draft())
    assert found is not None
    assert found.password == "abc123"


def test_the_search_reads_all_pages() -> None:
    item = {"id": 81234567890, "topic": "Talk", "start_time": "2031-03-05T01:00:00Z"}
    wire = Wire(
        reply(200, {"meetings": [{"id": 1, "topic": "Other"}], "next_page_token": "2"}),
        reply(200, {"meetings": [item], "next_page_token": ""}),
        reply(200, MADE),
    )
    assert session("zoom", wire).find_meeting(draft()) is not None
    assert wire.requests[1].url.params["next_page_token"] == "2"


def test_the_hundred_and_first_meeting_of_a_day_waits_for_midnight_utc(zoom: SandboxWorld) -> None:
    zoom.fault("rate_limited", "meetings.create", daily=True)
    failure = failure_of(lambda: zoom.session.create_meeting(draft()))
    assert failure is not None
    assert failure.kind is FailureClass.RATE_LIMITED
    midnight = datetime.combine(datetime.now(UTC).date() + timedelta(days=1), datetime.min.time(), UTC)
    assert failure.retry_at == midnight


def test_an_id_that_is_no_number_never_reaches_the_address() -> None:
    wire = Wire(reply(204))
    with pytest.raises(ValueError, match="number"):
        session("zoom", wire).delete_meeting("../users/me")
    assert wire.requests == []


def test_the_handshake_is_answered_with_the_known_vector() -> None:
    event = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}
    assert validation_reply("test-secret", event) == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": "82079ed66225fed153e0854735aa9702e1d67137a69c96a00957941f942b8de7",
    }
    with pytest.raises(ProviderError):
        validation_reply("test-secret", {"payload": {}})


BODY = b'{"event":"app_deauthorized"}'
SIGNATURE = "v0=6f0670d742ac42e7e4fcb59a8dfaddc7a00c4b1c6b62306b21fb5cef6d08c056"
THEN = datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_genuine_signature_is_known() -> None:
    assert signed("test-secret", timestamp="1700000000", body=BODY, signature=SIGNATURE, now=THEN)


@pytest.mark.parametrize(
    ("secret", "timestamp", "body", "signature", "now"),
    [
        ("other", "1700000000", BODY, SIGNATURE, THEN),
        ("test-secret", "1700000001", BODY, SIGNATURE, THEN),
        ("test-secret", "1700000000", BODY + b" ", SIGNATURE, THEN),
        ("test-secret", "1700000000", BODY, "v0=ünknown", THEN),
        ("test-secret", "1700000000", BODY, "", THEN),
        ("test-secret", "soon", BODY, SIGNATURE, THEN),
        ("test-secret", "²", BODY, SIGNATURE, THEN),
        ("test-secret", "1" * 5_000, BODY, SIGNATURE, THEN),
        ("test-secret", "1700000000", BODY, SIGNATURE, THEN + timedelta(minutes=6)),
        ("test-secret", "1700000000", BODY, SIGNATURE, NOW),
    ],
)
def test_a_signature_that_does_not_fit_is_refused(
    secret: str, timestamp: str, body: bytes, signature: str, now: datetime
) -> None:
    assert not signed(secret, timestamp=timestamp, body=body, signature=signature, now=now)
