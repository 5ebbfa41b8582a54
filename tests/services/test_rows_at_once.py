"""Rows written by one statement are the rows that Django itself would have written."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from awase.models import Effect, EffectKind, EffectState
from awase.models.bulk import change_all, insert, insert_all

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def mail(key: str, **more: object) -> Effect:
    return Effect(kind=EffectKind.MAIL, key=key, next_at=NOW, payload={"template": "予約", "minutes": 5}, **more)


def told(effect: Effect) -> dict[str, object]:
    named = {field.attname: getattr(effect, field.attname) for field in Effect._meta.concrete_fields}
    return {name: value for name, value in named.items() if name not in {"id", "key", "created_at"}}


def test_every_field_has_the_value_that_djangos_own_statement_gives_it() -> None:
    mail("own", last_error="x" * 300, lease_until=datetime(2026, 12, 1, 9, 30, 0, 123456, tzinfo=UTC)).save()
    insert_all([mail("all", last_error="x" * 300, lease_until=datetime(2026, 12, 1, 9, 30, 0, 123456, tzinfo=UTC))])
    own, ours = Effect.objects.get(key="own"), Effect.objects.get(key="all")
    assert told(ours) == told(own)
    assert ours.state == EffectState.PENDING
    assert abs(ours.created_at - own.created_at).total_seconds() < 60


def test_one_row_gets_its_id_and_is_like_one_that_django_saved() -> None:
    one = mail("one", last_error="後で", lease_until=NOW)
    insert(one)
    one.attempts = 3
    one.save()  # the same row
    found = Effect.objects.get()
    assert (found.pk, found.attempts, found.last_error, found.lease_until) == (one.pk, 3, "後で", NOW)


def test_what_is_there_already_is_left_alone_if_asked_and_refused_if_not() -> None:
    insert_all([mail("once", attempts=3)])
    insert_all([mail("once"), mail("new")], ignore=True)
    assert Effect.objects.get(key="once").attempts == 3
    assert Effect.objects.filter(key="new").exists()
    with pytest.raises(DatabaseError), transaction.atomic():
        insert_all([mail("once")])


def test_a_text_that_is_too_long_is_never_cut_off() -> None:
    if connection.vendor == "sqlite":  # which knows no length
        insert_all([mail("long", last_error="x" * 301)])
        assert len(Effect.objects.get(key="long").last_error) == 301
        return
    with pytest.raises(DatabaseError), transaction.atomic():
        insert_all([mail("long", last_error="x" * 301)])


def test_rows_are_changed_each_to_its_own_values_and_no_other() -> None:
    insert_all([mail("one"), mail("two"), mail("three")])
    one, two, three = Effect.objects.order_by("pk")
    change_all(Effect, ["last_error", "lease_until"], [(one.pk, "x", NOW), (three.pk, "予約", None)])
    changed = list(Effect.objects.order_by("pk").values_list("last_error", "lease_until"))
    assert changed == [("x", NOW), ("", None), ("予約", None)]
    assert told(Effect.objects.get(pk=two.pk)) == told(two)


def test_of_no_rows_nothing_is_written(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        insert_all([])
        change_all(Effect, ["attempts"], [])


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_begins_with_such_a_statement_is_undone_with_it() -> None:
    with suppress(ZeroDivisionError), transaction.atomic():
        insert_all([mail("first")])
        insert_all([mail("second")])
        raise ZeroDivisionError
    assert not Effect.objects.exists()
    with transaction.atomic():
        insert_all([mail("third")])
    assert Effect.objects.get().key == "third"
