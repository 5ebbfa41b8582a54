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


def assign(members, history, *, at, free=None, away=()):
    """One booking more, chosen evenly, as the services do it."""
    tally = counts(members, history)
    chosen = choose(
        Mode.EVEN,
        [
            Candidate(member.member_id, position, member.weight, count=tally[member.member_id])
            for position, member in enumerate(members)
            if (free is None or member.member_id in free) and member.member_id not in away
        ],
    )
    history.append(Assigned(at, chosen, tuple(away)))
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


@pytest.mark.parametrize(("joined_at", "away"), [(20, ()), (0, (CAL,))], ids=["newcomer", "absent or broken"])
def test_who_was_away_gets_an_equal_share_afterwards_and_no_flood(joined_at, away):
    members = [Presence(ANN), Presence(BEN), Presence(CAL, joined_at=joined_at)]
    history = []
    for at in range(20):
        assign(members, history, at=at, free={ANN, BEN}, away=away)
    for at in range(20, 50):
        assign(members, history, at=at)
    assert shares(history, since=20) == {ANN: 10, BEN: 10, CAL: 10}


def test_without_credit_the_same_history_would_flood():
    members = [Presence(ANN), Presence(BEN), Presence(CAL)]
    history = [Assigned(at, ANN if at % 2 else BEN) for at in range(20)]
    assert [assign(members, history, at=at) for at in range(20, 30)] == [CAL] * 10


@pytest.mark.parametrize(("at", "credited"), [(99, 1), (100, 0)])
def test_what_was_assigned_before_somebody_joined_went_past_them(at, credited):
    members = [Presence(ANN), Presence(BEN, joined_at=100)]
    assert counts(members, [Assigned(at, ANN)])[BEN] == credited


def test_the_credit_is_the_share_by_weight_of_those_who_were_there():
    members = [Presence(ANN, weight=2), Presence(BEN), Presence(CAL, weight=3, joined_at=50)]
    history = [Assigned(at, ANN) for at in range(5)] + [Assigned(60, CAL)]
    assert counts(members, history) == {ANN: 5, BEN: 0, CAL: 1 + Fraction(5 * 3, 3)}


def test_who_was_away_twice_over_is_credited_once():
    members = [Presence(ANN), Presence(BEN, joined_at=50)]
    assert counts(members, [Assigned(10, ANN, (BEN,))]) == {ANN: 1, BEN: 1}


def test_where_levels_count_only_those_of_one_level_vie_for_a_booking():
    first, second, third = Presence(ANN, level=2), Presence(BEN, level=1), Presence(CAL, level=1)
    assert counts([first, second, third], [Assigned(10, ANN, (BEN,))]) == {ANN: 1, BEN: 0, CAL: 0}
    assert counts([first, second, third], [Assigned(10, CAL, (ANN, BEN))]) == {ANN: 0, BEN: 1, CAL: 1}


def test_a_booking_that_reached_somebody_counts_whatever_the_records_say():
    members = [Presence(ANN, joined_at=50), Presence(BEN)]
    assert counts(members, [Assigned(10, ANN), Assigned(60, ANN, (ANN,))]) == {ANN: 2, BEN: 0}


def test_bookings_of_people_who_have_left_count_for_nobody():
    assert counts([Presence(ANN), Presence(BEN, joined_at=50)], [Assigned(10, CAL)]) == {ANN: 0, BEN: 0}
    assert counts([Presence(ANN)], [Assigned(10, ANN, (CAL,))], {ANN: 2, CAL: 7}) == {ANN: 3}


@given(st.data())
def test_the_same_history_gives_the_same_choice_in_whatever_order_it_is_told(data):
    ids = range(1, data.draw(st.integers(1, 5)) + 1)
    members = [
        Presence(id, data.draw(st.integers(1, 3)), data.draw(st.integers(0, 1)), data.draw(st.integers(0, 40)))
        for id in ids
    ]
    away = st.lists(st.sampled_from(ids), max_size=3).map(tuple)
    history = data.draw(st.lists(st.builds(Assigned, st.integers(0, 40), st.sampled_from(ids), away), max_size=20))
    tally = counts(members, history)
    assert counts(data.draw(st.permutations(members)), data.draw(st.permutations(history))) == tally
    # Whatever went past nobody may as well only be counted.
    newest = max(member.joined_at for member in members)
    plain = [booking for booking in history if not booking.away and booking.at >= newest]
    rest = [booking for booking in history if booking not in plain]
    assert counts(members, rest, Counter(booking.member_id for booking in plain)) == tally
    candidates = [Candidate(m.member_id, n, m.weight, m.level, tally[m.member_id]) for n, m in enumerate(members)]
    for mode in Mode:
        last = data.draw(st.none() | st.sampled_from(range(len(members))))
        assert rank(mode, candidates, last) == rank(mode, data.draw(st.permutations(candidates)), last)


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
