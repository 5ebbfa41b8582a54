"""Who gets the booking, and that nobody is flooded."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awase.domain.assignment import Assigned, Candidate, Mode, Presence, choose, counts, fill, rank
from awase.domain.health import Group

ANN, BEN, CAL = 1, 2, 3


def candidates(*counts, **others):
    return [Candidate(id, position=id * 10, count=count, **others) for id, count in enumerate(counts, start=1)]


def assign(members, history, *, at, start=None, free=None):
    """One booking more, chosen evenly, as the services do it."""
    tally = counts(members, history)
    chosen = choose(
        Mode.EVEN,
        [
            Candidate(member.member_id, position, member.weight, count=tally[member.member_id])
            for position, member in enumerate(members)
            if free is None or member.member_id in free
        ],
    )
    history.append(Assigned(at, at if start is None else start, chosen))
    return chosen


def shares(history, since=0):
    return Counter(booking.member_id for booking in history if booking.at >= since)


def test_the_one_with_the_fewest_bookings_is_chosen():
    assert choose(Mode.EVEN, candidates(2, 1, 3)) == BEN


def test_ties_go_by_list_order_however_the_candidates_come():
    tied = candidates(2, 1, 1)
    assert choose(Mode.EVEN, tied) == choose(Mode.EVEN, tied[::-1]) == BEN


def test_weights_divide_the_bookings_in_proportion():
    members = [Presence(ANN, weight=3), Presence(BEN, weight=1)]
    history = []
    for at in range(40):
        assign(members, history, at=at)
    assert shares(history) == {ANN: 30, BEN: 10}


def test_the_highest_level_with_somebody_free_goes_first():
    high = Candidate(ANN, 5, level=2, count=90)
    low = Candidate(BEN, 1, level=1)
    assert choose(Mode.PRIORITY, [low, high]) == ANN
    assert choose(Mode.PRIORITY, [low]) == BEN


def test_within_a_level_bookings_are_even():
    assert choose(Mode.PRIORITY, [*candidates(2, 1, level=3), Candidate(CAL, 0, level=1)]) == BEN


@pytest.mark.parametrize(("last", "chosen"), [(None, ANN), (10, BEN), (15, BEN), (20, CAL), (30, ANN), (99, ANN)])
def test_in_turn_the_next_in_the_list_follows_the_last(last, chosen):
    assert choose(Mode.SEQUENTIAL, candidates(9, 5, 0)[::-1], last) == chosen


def test_in_turn_those_who_are_not_free_are_passed_over():
    assert choose(Mode.SEQUENTIAL, [candidates(0, 0, 0)[0], candidates(0, 0, 0)[2]], 10) == CAL
    assert choose(Mode.SEQUENTIAL, [candidates(0, 0, 0)[0]], 10) == ANN


@pytest.mark.parametrize("mode", Mode)
def test_without_candidates_there_is_no_choice(mode):
    with pytest.raises(IndexError):
        choose(mode, [])


def test_a_weight_must_be_positive():
    with pytest.raises(ValueError, match="positive"):
        Candidate(ANN, 0, weight=0)


@pytest.mark.parametrize(
    "away",
    [
        {"joined_at": 20},
        {"broken": ((5, 15), (0, 8), (15, 20))},
        {"absent": ((0, 20),)},
    ],
    ids=["newcomer", "broken account", "absent"],
)
def test_who_was_away_gets_an_equal_share_afterwards_and_no_flood(away):
    members = [Presence(ANN), Presence(BEN), Presence(CAL, **away)]
    history = []
    for at in range(20):
        assign(members, history, at=at, free={ANN, BEN})
    for at in range(20, 50):
        assign(members, history, at=at)
    assert shares(history, since=20) == {ANN: 10, BEN: 10, CAL: 10}


def test_without_credit_the_same_history_would_flood():
    members = [Presence(ANN), Presence(BEN), Presence(CAL)]
    history = [Assigned(at, at, ANN if at % 2 else BEN) for at in range(20)]
    assert [assign(members, history, at=at) for at in range(20, 30)] == [CAL] * 10


def test_absence_goes_by_the_time_of_the_booking_broken_accounts_by_that_of_the_assignment():
    away = ((100, 200),)
    history = [Assigned(at=10, start=150, member_id=ANN)]
    assert counts([Presence(ANN), Presence(BEN, absent=away)], history) == {ANN: 1, BEN: 1}
    assert counts([Presence(ANN), Presence(BEN, broken=away)], history) == {ANN: 1, BEN: 0}
    history = [Assigned(at=150, start=300, member_id=ANN)]
    assert counts([Presence(ANN), Presence(BEN, absent=away)], history) == {ANN: 1, BEN: 0}
    assert counts([Presence(ANN), Presence(BEN, broken=away)], history) == {ANN: 1, BEN: 1}


@pytest.mark.parametrize(("at", "credited"), [(99, 0), (100, 1), (199, 1), (200, 0)])
def test_the_time_away_is_half_open(at, credited):
    members = [Presence(ANN), Presence(BEN, broken=((100, 200),))]
    assert counts(members, [Assigned(at, at, ANN)])[BEN] == credited


def test_the_credit_is_the_share_by_weight_of_those_who_were_there():
    members = [Presence(ANN, weight=2), Presence(BEN), Presence(CAL, weight=3, joined_at=50)]
    history = [Assigned(at, at, ANN) for at in range(5)] + [Assigned(60, 60, CAL)]
    assert counts(members, history) == {ANN: 5, BEN: 0, CAL: 1 + Fraction(5 * 3, 3)}


def test_a_booking_that_reached_somebody_counts_whatever_the_records_say():
    assert counts([Presence(ANN, joined_at=50), Presence(BEN)], [Assigned(10, 10, ANN)]) == {ANN: 1, BEN: 0}


def test_bookings_of_people_who_have_left_count_for_nobody():
    assert counts([Presence(ANN), Presence(BEN, joined_at=50)], [Assigned(10, 10, CAL)]) == {ANN: 0, BEN: 0}


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 60))
def test_even_assignment_never_strays_far_from_the_weights(weights, bookings):
    members = [Presence(id, weight) for id, weight in enumerate(weights)]
    history = []
    for at in range(bookings):
        assign(members, history, at=at)
    per_weight = [shares(history)[id] / weight for id, weight in enumerate(weights)]
    assert max(per_weight) - min(per_weight) <= 1


def test_groups_are_filled_by_those_whose_turn_it_is_and_nobody_twice():
    both = [Group((1, 2), 1), Group((1, 3), 1)]
    assert fill(both, [1, 2, 3]) == (1, 2)
    assert fill(both, [3, 1, 2]) == (3, 1)
    assert fill(both, [1]) == ()
    assert fill([Group((4, 5))], [5, 4]) == (5, 4)
    assert fill([Group(())], [1]) == ()
    assert fill([], [1]) == ()


def test_a_rank_names_everybody_and_begins_with_the_one_chosen():
    for mode in Mode:
        order = rank(mode, candidates(3, 1, 2), 10)
        assert sorted(order) == [ANN, BEN, CAL]
        assert order[0] == choose(mode, candidates(3, 1, 2), 10)
