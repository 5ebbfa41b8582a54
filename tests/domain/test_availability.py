"""The rules of slots, one by one, on a quiet Tuesday in UTC."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from awase.domain.availability import HostTimes, Period, Session, SlotRules, is_offered, slots
from awase.domain.health import Group
from awase.domain.intervals import BusyTimes, epoch, moment
from awase.domain.limits import Limit, Per, Quota
from awase.domain.schedule import Range, Schedule, parse_range

CLOSED = ((),) * 7


def at(text):
    """`09:00` is on Tuesday, 2026-12-01; longer texts carry their date."""
    return epoch(datetime.fromisoformat(text if " " in text else f"2026-12-01 {text}").replace(tzinfo=UTC))


def texts(starts):
    return " ".join(f"{moment(start):%H:%M}" for start in starts)


def hours(*ranges, zone="UTC"):
    """The same hours every day."""
    return Schedule(zone, (tuple(parse_range(text) for text in ranges),) * 7)


def busy(*spans, covered=("2026-11-01 00:00", "2027-02-01 00:00")):
    return BusyTimes.of(
        [(moment(at(start)), moment(at(end))) for start, end in spans],
        covered=(moment(at(covered[0])), moment(at(covered[1]))),
        read_at=moment(at("00:00")),
    )


def own(start, end):
    return at(start), at(end)


NINE_TO_NOON = hours("09:00-12:00")
ANN = HostTimes(1, NINE_TO_NOON)
BEN = HostTimes(2, NINE_TO_NOON)
CAL = HostTimes(3, NINE_TO_NOON)
RULES = SlotRules(duration_minutes=60, step_minutes=60, time_zone="UTC")
ONE = [Group((1,))]
ALL = [Group((1, 2))]
ANY = [Group((1, 2), 1)]
DAY = (at("00:00"), at("2026-12-02 00:00"))
LONG_AGO = at("2026-11-10 10:00")


def ask(rules=RULES, groups=ONE, hosts=(ANN,), window=DAY, now=LONG_AGO):
    return slots(rules, groups, hosts, *window, now)


def starts(**question):
    return texts(ask(**question).starts)


def test_starts_are_counted_from_the_beginning_of_each_range():
    ann = replace(ANN, schedule=hours("09:10-11:10", "13:25-15:00"))
    assert starts(hosts=[ann]) == "09:10 10:10 13:25"
    assert starts(rules=replace(RULES, step_minutes=25), hosts=[ann]) == "09:10 09:35 10:00 13:25 13:50"


def test_busy_times_do_not_move_the_grid():
    ann = replace(ANN, busy=(busy(("09:10", "09:20")),))
    assert starts(hosts=[ann]) == "10:00 11:00"


def test_half_open_times_touch_without_conflict():
    ann = replace(ANN, busy=(busy(("08:00", "09:00"), ("10:00", "11:00")),))
    assert starts(hosts=[ann]) == "09:00 11:00"


def test_a_second_of_busy_time_is_busy():
    ann = replace(ANN, busy=(busy(("09:59:59", "10:00:00")),))
    assert starts(hosts=[ann]) == "10:00 11:00"


def test_a_slot_may_run_on_into_hours_that_adjoin():
    ann = replace(ANN, schedule=hours("09:00-10:30", "10:30-12:00"))
    assert starts(hosts=[ann]) == "09:00 10:00 10:30"
    night = replace(ANN, schedule=hours("00:00-24:00"))
    window = at("22:00"), at("2026-12-02 02:00")
    assert starts(rules=replace(RULES, step_minutes=90), hosts=[night], window=window) == "22:30 00:00"


def test_a_slot_lies_inside_the_window():
    assert starts(window=(at("09:30"), at("12:00"))) == "10:00 11:00"
    assert starts(window=(at("09:00"), at("11:59"))) == "09:00 10:00"
    assert starts(window=(at("12:00"), at("09:00"))) == ""


def test_own_bookings_add_their_buffers_to_those_of_the_new_one():
    # A booking 10:00-10:15 with 15 minutes before and after takes 09:45 to 10:30.
    ann = replace(ANN, schedule=hours("07:00-13:00"), own=(own("09:45", "10:30"),))
    rules = replace(RULES, duration_minutes=15, step_minutes=15, buffer_before=15, buffer_after=30)
    free = set(starts(rules=rules, hosts=[ann]).split())
    assert {"09:00", "10:45"} <= free
    assert free.isdisjoint({"09:15", "09:30", "09:45", "10:00", "10:15", "10:30"})


def test_external_events_have_no_buffers_of_their_own_but_those_of_the_slot_keep_clear_of_them():
    ann = replace(ANN, schedule=hours("07:00-13:00"), busy=(busy(("10:00", "10:15")),))
    rules = replace(RULES, duration_minutes=15, step_minutes=15, buffer_before=15, buffer_after=30)
    free = set(starts(rules=rules, hosts=[ann]).split())
    assert {"09:15", "10:30"} <= free
    assert free.isdisjoint({"09:30", "09:45", "10:00", "10:15"})


def test_buffers_may_reach_outside_the_hours():
    assert starts(rules=replace(RULES, buffer_before=120, buffer_after=120)) == "09:00 10:00 11:00"


@pytest.mark.parametrize(
    ("covered", "expected"),
    [
        (("08:30", "12:30"), "09:00 10:00 11:00"),
        (("08:31", "12:30"), "10:00 11:00"),
        (("08:30", "12:29"), "09:00 10:00"),
        (("2026-11-01 00:00", "2026-11-02 00:00"), ""),
    ],
)
def test_unknown_is_never_free_not_even_for_buffers(covered, expected):
    ann = replace(ANN, busy=(busy(), busy(covered=covered)))
    assert starts(rules=replace(RULES, buffer_before=30, buffer_after=30), hosts=[ann]) == expected


def test_a_calendar_that_was_never_read_offers_nothing():
    assert starts(hosts=[replace(ANN, busy=(busy(), BusyTimes.unread()))]) == ""


def test_every_calendar_counts():
    ann = replace(ANN, busy=(busy(("09:00", "09:05")), busy(("11:30", "12:30"))))
    assert starts(hosts=[ann]) == "10:00"


def test_all_meet_in_the_hours_that_they_share_counted_from_their_beginning():
    ben = replace(BEN, schedule=hours("09:40-12:00"))
    assert starts(groups=ALL, hosts=[ANN, ben]) == "09:40 10:40"
    apart = replace(BEN, schedule=hours("13:00-15:00"))
    assert starts(groups=ALL, hosts=[ANN, apart]) == ""


def test_any_offers_the_starts_of_each_and_tells_who_is_free():
    ben = replace(BEN, schedule=hours("09:40-12:00"))
    found = ask(groups=ANY, hosts=[ANN, ben])
    assert texts(found.starts) == "09:00 09:40 10:00 10:40 11:00"
    assert [found.free(start) for start in found.starts] == [(1,), (1, 2), (1, 2), (1, 2), (1, 2)]


def test_hosts_in_different_zones_meet_where_their_days_overlap():
    tokyo = replace(ANN, schedule=hours("09:00-18:00", zone="Asia/Tokyo"))
    paris = replace(BEN, schedule=hours("08:30-17:00", zone="Europe/Paris"))
    assert starts(groups=ALL, hosts=[tokyo, paris]) == "07:30"


def test_an_assignment_list_needs_its_fixed_people_and_one_of_the_others():
    lists = [Group((1,)), Group((2, 3), 1)]
    ben = replace(BEN, busy=(busy(("09:00", "11:00")),))
    cal = replace(CAL, busy=(busy(("10:00", "11:00")),))
    found = ask(groups=lists, hosts=[ANN, ben, cal])
    assert [(texts([start]), found.free(start)) for start in found.starts] == [
        ("09:00", (1, 3)),
        ("11:00", (1, 2, 3)),
    ]
    assert starts(groups=lists, hosts=[ben, cal]) == ""


def test_nobody_fills_two_places():
    either = Group((1, 2), 1)
    assert starts(groups=[either, either], hosts=[ANN]) == ""
    assert starts(groups=[either, either], hosts=[ANN, BEN]) == "09:00 10:00 11:00"
    chain = [Group((1, 2), 1), Group((2, 3), 1), Group((1, 3), 1)]
    busy_cal = replace(CAL, busy=(busy(("09:00", "11:00")),))
    assert starts(groups=chain, hosts=[ANN, BEN, busy_cal]) == "11:00"


@pytest.mark.parametrize("groups", [[], [Group(())], [Group((1,)), Group(())], [Group((1, 9))], [Group((1, 9), 2)]])
def test_groups_that_nobody_can_fill_offer_nothing(groups):
    assert starts(groups=groups) == ""


def test_without_hosts_nothing_is_offered():
    assert starts(groups=ALL, hosts=[]) == ""


def test_a_room_is_needed_like_a_person_and_told_apart_from_one_with_the_same_id():
    room = HostTimes(1, None, (busy(("10:00", "10:30")),), room=True)
    groups = [Group((1,)), Group((1,), rooms=True)]
    found = ask(groups=groups, hosts=[ANN, room])
    assert texts(found.starts) == "09:00 11:00"
    assert (found.free(at("09:00")), found.free_rooms(at("09:00"))) == ((1,), (1,))


def test_one_of_several_rooms_will_do():
    one = HostTimes(5, None, (busy(("09:00", "11:00")),), room=True)
    other = HostTimes(6, None, (busy(("10:00", "12:00")),), room=True)
    found = ask(groups=[Group((1,)), Group((5, 6), 1, rooms=True)], hosts=[ANN, one, other])
    assert [(texts([start]), found.free_rooms(start)) for start in found.starts] == [
        ("09:00", (6,)),
        ("11:00", (5,)),
    ]


def test_without_anybodys_hours_starts_are_counted_from_midnight_in_the_pages_zone():
    room = HostTimes(5, None, room=True)
    rules = replace(RULES, step_minutes=600, time_zone="Asia/Tokyo")
    assert starts(rules=rules, groups=[Group((5,), rooms=True)], hosts=[room]) == "01:00 11:00 15:00"


def test_an_absence_takes_every_slot_that_touches_its_dates():
    ann = replace(ANN, schedule=hours("22:30-26:30"), absences=((date(2026, 12, 2), date(2026, 12, 3)),))
    window = at("12:00"), at("2026-12-04 12:00")
    # 23:30 would reach into the absence; on the 4th they are back at midnight.
    found = ask(hosts=[ann], window=window)
    assert [f"{moment(start):%d %H:%M}" for start in found.starts] == ["01 22:30", "04 00:30", "04 01:30"]


def test_absences_go_by_the_hosts_zone_and_may_have_no_end():
    ann = replace(
        ANN,
        schedule=hours("00:00-24:00", zone="Asia/Tokyo"),
        absences=((date(2026, 12, 2), date(9999, 12, 31)),),
    )
    assert starts(rules=replace(RULES, step_minutes=180), hosts=[ann]) == "00:00 03:00 06:00 09:00 12:00"


def test_notice_counts_from_now_or_from_midnight():
    rules = replace(RULES, notice_minutes=24 * 60)
    now = at("2026-11-30 10:30")
    assert starts(rules=rules, now=now) == "11:00"
    assert starts(rules=replace(rules, notice_from_midnight=True), now=now) == "09:00 10:00 11:00"
    assert starts(rules=replace(rules, notice_from_midnight=True, time_zone="Asia/Tokyo"), now=now) == (
        "09:00 10:00 11:00"
    )


def test_nothing_is_offered_in_the_past_even_where_notice_counts_from_midnight():
    rules = replace(RULES, notice_minutes=0, notice_from_midnight=True)
    assert starts(rules=rules, now=at("10:00")) == "10:00 11:00"
    assert starts(now=at("10:01")) == "11:00"


def test_the_period_goes_by_the_date_on_which_a_slot_starts_in_the_pages_zone():
    ann = replace(ANN, schedule=hours("00:00-24:00"))
    rules = replace(RULES, step_minutes=360, time_zone="Asia/Tokyo")
    window = at("00:00"), at("2026-12-03 00:00")

    def offered(period, now=LONG_AGO):
        found = ask(rules=replace(rules, period=period), hosts=[ann], window=window, now=now)
        return " ".join(f"{moment(start):%d-%H}" for start in found.starts)

    assert offered(Period()) == "01-00 01-06 01-12 01-18 02-00 02-06 02-12 02-18"
    second = date(2026, 12, 2)
    assert offered(Period(first=second, last=second)) == "01-18 02-00 02-06 02-12"
    assert offered(Period(first=date(2026, 12, 3))) == "02-18"
    assert offered(Period(days_ahead=0), now=at("05:00")) == "01-06 01-12"
    assert offered(Period(days_ahead=1), now=at("05:00")) == "01-06 01-12 01-18 02-00 02-06 02-12"
    assert offered(Period(last=date(9999, 12, 31), days_ahead=0), now=at("05:00")) == "01-06 01-12"


def test_a_full_day_of_the_page_or_the_guest_or_a_host_is_closed():
    ann = replace(ANN, schedule=hours("00:00-24:00"))
    full = Quota((Limit(Per.DAY, bookings=1),), ((at("05:00"), at("05:30")),))
    window = at("2026-11-30 23:00"), at("2026-12-02 01:00")
    sides = "23:00 00:00"
    assert starts(rules=replace(RULES, page=full), hosts=[ann], window=window) == sides
    assert starts(rules=replace(RULES, guest=full), hosts=[ann], window=window) == sides
    assert starts(hosts=[replace(ann, quota=full)], window=window) == sides
    found = ask(groups=ANY, hosts=[replace(ann, quota=full), replace(BEN, schedule=hours("09:00-10:00"))])
    assert [found.free(start) for start in found.starts] == [(2,)]


def test_the_limits_of_a_host_go_by_the_hosts_zone():
    full = Quota((Limit(Per.DAY, bookings=1),), ((at("05:00"), at("05:30")),))
    tokyo = replace(ANN, schedule=hours("00:00-24:00", zone="Asia/Tokyo"), quota=full)
    rules = replace(RULES, step_minutes=180)
    assert starts(rules=rules, hosts=[tokyo]) == "15:00 18:00 21:00"


SESSION = Session(at("10:00"), at("11:00"), (1,), seats_left=2)


def test_a_session_with_seats_left_is_offered_to_those_who_join():
    ann = replace(ANN, own=(own("10:00", "11:00"),))
    found = ask(rules=replace(RULES, sessions=(SESSION,)), groups=ANY, hosts=[ann, BEN])
    assert texts(found.starts) == "09:00 10:00 11:00"
    assert found.free(at("10:00")) == (1,)
    assert found.session(at("10:00")) == SESSION
    assert found.session(at("09:00")) is None
    assert found.free(at("09:00")) == (1, 2)


def test_where_any_of_some_members_is_free_is_told_for_all_starts_at_once():
    late = Session(at("18:20"), at("19:20"), (1,), 0)
    ann = replace(ANN, own=(own("10:00", "11:00"),))
    found = ask(rules=replace(RULES, sessions=(SESSION, late)), groups=ANY, hosts=[ann, BEN])
    for wanted in ([1], [2], [1, 2], [3], []):
        assert found.with_any(wanted) == [bool({*found.free(start)} & {*wanted}) for start in found.starts]
    assert found.with_any([2]) == [True, False, True]
    full = Quota((Limit(Per.DAY, 1),), (own("09:00", "10:00"),))
    two_days = DAY[0], DAY[1] + 86_400
    found = ask(rules=replace(RULES, sessions=(SESSION,), page=full), groups=ANY, hosts=[ann, BEN], window=two_days)
    assert found.with_any([2]) == [True] * 3, "of the session on the day that is full nothing is told"


def test_of_two_sessions_at_one_start_the_first_is_filled_first():
    other = replace(SESSION, member_ids=(2,))
    found = ask(rules=replace(RULES, sessions=(SESSION, other)), groups=ANY, hosts=[ANN, BEN])
    assert found.free(at("10:00")) == (1,)


@pytest.mark.parametrize(
    "session",
    [
        replace(SESSION, seats_left=0),
        replace(SESSION, end=at("10:30")),
        replace(SESSION, member_ids=(1, 9)),
    ],
)
def test_a_session_that_cannot_be_joined_only_takes_time(session):
    ann = replace(ANN, own=(own("10:00", "11:00"),))
    assert starts(rules=replace(RULES, sessions=(session,)), hosts=[ann]) == "09:00 11:00"


def test_a_session_is_joined_off_the_grid_but_within_period_notice_and_limits():
    ann = replace(ANN, own=(own("13:20", "14:20"),))
    late = Session(at("13:20"), at("14:20"), (1,), 1)
    rules = replace(RULES, sessions=(late,))
    assert starts(rules=rules, hosts=[ann]) == "09:00 10:00 11:00 13:20"
    assert starts(rules=rules, hosts=[ann], now=at("13:21")) == ""
    full = Quota((Limit(Per.DAY, bookings=1),), ((at("13:20"), at("14:20")),))
    assert starts(rules=replace(rules, guest=full), hosts=[ann]) == ""


def test_one_start_is_asked_with_the_function_that_lists_them():
    assert is_offered(RULES, [Group((1,))], [ANN], at("10:00"), LONG_AGO)
    assert not is_offered(RULES, [Group((1,))], [ANN], at("10:30"), LONG_AGO)
    assert not is_offered(RULES, [Group((1,))], [ANN], at("12:00"), LONG_AGO)


def test_asking_who_is_free_at_a_start_not_offered_is_an_error():
    found = ask()
    for question in (found.free, found.free_rooms, found.session):
        with pytest.raises(KeyError):
            question(at("09:30"))
        with pytest.raises(KeyError):
            question(at("2027-01-01 09:00"))


def test_slots_are_grouped_by_the_guests_date():
    ann = replace(ANN, schedule=hours("14:00-17:00"))
    assert ask(hosts=[ann]).by_day("Asia/Tokyo") == {
        date(2026, 12, 1): [at("14:00")],
        date(2026, 12, 2): [at("15:00"), at("16:00")],
    }


def test_equal_schedules_of_many_hosts_change_nothing():
    many = [HostTimes(n, Schedule("UTC", ((Range(540, 720),),) * 7)) for n in range(50)]
    assert starts(groups=[Group(tuple(range(50)))], hosts=many) == "09:00 10:00 11:00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration_minutes": 0},
        {"step_minutes": 0},
        {"buffer_before": -1},
        {"buffer_after": -1},
        {"notice_minutes": -1},
    ],
)
def test_impossible_rules_are_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        replace(RULES, **wrong)


def test_hours_that_overlap_from_one_date_into_the_next_are_shared_like_any_others():
    # Round the clock from Monday 09:00, and from 01:00 to 02:00 on Tuesday once more.
    monday, tuesday = (Range(540, 1980),), (Range(60, 120),)
    ann = replace(ANN, schedule=Schedule("UTC", (monday, tuesday, *CLOSED[2:])))
    ben = replace(BEN, schedule=hours("05:00-07:00"))
    assert starts(groups=ALL, hosts=[ann, ben]) == "05:00 06:00"
    assert starts(groups=ALL, hosts=[ben, ann]) == "05:00 06:00"


# Zone, date, hours, and the starts of that date (an hour each, every half hour) in UTC: by hand, from the rules that
# a time in a gap is read with the offset before it, and that of two equal times the first one is meant.
DATES_OF_CHANGE = [
    ("America/New_York", "2026-03-08", "00:00-04:00", "05:00 05:30 06:00 06:30 07:00"),
    ("America/New_York", "2026-11-01", "00:00-03:00", "04:00 04:30 05:00 05:30 06:00 06:30 07:00"),
    ("Europe/London", "2026-03-29", "00:00-03:00", "00:00 00:30 01:00"),
    ("Europe/London", "2026-10-25", "00:00-02:00", "23:00 23:30 00:00 00:30 01:00"),
    ("Europe/Berlin", "2026-10-25", "02:00-04:00", "00:00 00:30 01:00 01:30 02:00"),
    ("Australia/Lord_Howe", "2026-10-04", "01:00-04:00", "14:30 15:00 15:30 16:00"),
    ("Australia/Lord_Howe", "2026-04-05", "01:00-03:00", "14:00 14:30 15:00 15:30"),
    ("Africa/Cairo", "2026-04-24", "00:00-03:00", "22:00 22:30 23:00"),
    ("Africa/Cairo", "2026-10-29", "22:00-25:00", "19:00 19:30 20:00 20:30 21:00 21:30 22:00"),
    ("America/Santiago", "2026-09-06", "00:00-03:00", "04:00 04:30 05:00"),
    ("America/St_Johns", "2026-03-08", "01:00-04:00", "04:30 05:00 05:30"),
    ("America/Havana", "2026-11-01", "00:00-02:00", "04:00 04:30 05:00 05:30 06:00"),
    ("Pacific/Chatham", "2026-09-27", "01:45-04:45", "13:00 13:30 14:00"),
    ("Pacific/Apia", "2011-12-29", "22:00-26:00", "08:00 08:30 09:00 09:30 10:00 10:30 11:00"),
    ("Pacific/Apia", "2011-12-30", "09:00-17:00", ""),
    ("Asia/Kathmandu", "2026-12-01", "09:00-11:00", "03:15 03:45 04:15"),
    ("Asia/Tokyo", "2026-12-31", "22:00-26:00", "13:00 13:30 14:00 14:30 15:00 15:30 16:00"),
]


@pytest.mark.parametrize("machine", ["UTC", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"])
@pytest.mark.parametrize(("zone", "day", "open_hours", "expected"), DATES_OF_CHANGE)
def test_starts_follow_the_clock_on_dates_of_change_wherever_the_machine_stands(
    machine, zone, day, open_hours, expected, monkeypatch
):
    monkeypatch.setenv("TZ", machine)
    time.tzset()
    try:
        ann = HostTimes(1, Schedule(zone, CLOSED, {date.fromisoformat(day): (parse_range(open_hours),)}))
        middle = at(f"{day} 12:00")
        rules = replace(RULES, step_minutes=30, time_zone=zone)
        found = ask(rules=rules, hosts=[ann], window=(middle - 3 * 86_400, middle + 3 * 86_400), now=0)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert texts(found.starts) == expected
