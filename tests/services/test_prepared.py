"""Prepared queries answer as the same query written by Django would, whatever they are asked with."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from awase.models import Absence, Member, WeeklySchedule
from awase.models.prepared import prepared, together


@prepared
def members_among(ids: Any) -> Any:
    return Member.objects.filter(pk__among=ids).order_by("pk").values_list("pk", "user__name")


@prepared
def whole_members(ids: Any) -> Any:
    return Member.objects.filter(pk__among=ids).select_related("user", "workspace", "meet_connection").order_by("pk")


@prepared
def hours_of(member: Any, is_default: Any) -> Any:
    return WeeklySchedule.objects.filter(member=member, is_default=is_default).values_list("weekly", "overrides")


@prepared
def away(member: Any, day: Any) -> Any:
    rows = Absence.objects.filter(member=member).filter(Q(first__lte=day) & ~Q(last__lt=day))
    return rows.values_list("first", "last")


@prepared
def joined_before(moment: Any) -> Any:
    return Member.objects.filter(user__created_at__lt=moment).values_list("pk", "user__created_at")


def test_any_number_of_ids_is_one_query_with_one_text(owner, teammate, stranger) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert members_among([]) == []
        assert members_among([owner.pk]) == [(owner.pk, "Tanaka")]
        assert members_among({owner.pk, teammate.pk}) == [(owner.pk, "Tanaka"), (teammate.pk, "Sato")]
        assert len(members_among(range(1, 50_000))) == 3
    assert len(queries) == 4
    assert len(members_among(range(1, 50_000))) == 3  # also where nobody counts


def test_instances_come_with_what_select_related_names(owner, teammate) -> None:
    with CaptureQueriesContext(connection) as queries:
        found = whole_members([owner.pk, teammate.pk])
        assert [member.user.name for member in found] == ["Tanaka", "Sato"]
        assert found[0].workspace.slug == "minato"
        assert found[0].meet_connection is None
    assert found == [owner, teammate]
    assert len(queries) == 1
    assert not found[0]._state.adding


def test_columns_are_read_as_the_fields_read_them(owner) -> None:
    assert hours_of(owner.pk, True) == [([[[540, 1080]]] * 5 + [[], []], {})]
    assert hours_of(owner.pk, False) == []


def test_dates_and_moments_are_compared_as_such(owner) -> None:
    Absence.objects.create(member=owner, first=date(2026, 12, 29), last=date(2027, 1, 3))
    assert away(owner.pk, date(2026, 12, 28)) == []
    assert away(owner.pk, date(2027, 1, 3)) == [(date(2026, 12, 29), date(2027, 1, 3))]
    now = datetime.now(UTC)
    assert joined_before(now - timedelta(days=1)) == []
    ((pk, created),) = joined_before(now + timedelta(seconds=1))
    assert (pk, created) == (owner.pk, owner.user.created_at)


@prepared
def named(name: Any) -> Any:
    return Member.objects.filter(user__name=name).values_list("user__name")


def test_several_are_asked_together_and_answered_in_their_order(owner, teammate) -> None:
    assert together(members_among.of([owner.pk]), away.of(owner.pk, date(2027, 1, 3)), named.of("Sato")) == (
        [(owner.pk, "Tanaka")],
        [],
        [("Sato",)],
    )
    with CaptureQueriesContext(connection) as queries:
        together(members_among.of([owner.pk]), named.of("Sato"))
    assert len(queries) == 2


def test_a_text_is_never_cut_short_and_the_next_query_is_answered(owner) -> None:
    """NUL ends a text for much that is written in C."""
    with suppress(DatabaseError), transaction.atomic():
        assert named("Tanaka\0") == []
    assert named("Tanaka") == [("Tanaka",)]


@prepared
def with_id(pk: Any) -> Any:
    return Member.objects.filter(pk=pk).values_list("pk")


def test_after_one_that_fails_the_connection_is_in_order(owner) -> None:
    for asked in ([with_id.of(2**70)], [with_id.of(owner.pk), with_id.of(2**70), with_id.of(owner.pk)]):
        with pytest.raises((DatabaseError, OverflowError)), transaction.atomic():
            together(*asked)
        assert together(with_id.of(owner.pk), with_id.of(-1)) == ([(owner.pk,)], [])
