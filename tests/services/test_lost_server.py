"""A server of the database that ends, or is restarted, is noticed in time (only PostgreSQL: SQLite has none)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection

from awase.models import Member
from awase.models.prepared import execute, prepared

pytestmark = pytest.mark.django_db(transaction=True)


@prepared
def named(name: Any) -> Any:
    return Member.objects.filter(user__name=name).values_list("user__name")


def test_a_server_that_went_away_is_noticed_before_the_first_query_of_a_request(owner) -> None:
    assert named("Tanaka") == [("Tanaka",)]
    other = connection.copy()
    other.connect()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
    other.close()
    connection.close_if_unusable_or_obsolete()  # as at the beginning of each request
    assert named("Tanaka") == [("Tanaka",)]


@pytest.mark.parametrize("statements", [1, 2])
def test_a_connection_that_is_lost_meanwhile_is_told_as_such_and_made_anew(owner, statements) -> None:
    with pytest.raises(OperationalError):
        execute(connection, *[("SELECT pg_terminate_backend(pg_backend_pid())", [])] * statements)
    connection.close_if_unusable_or_obsolete()  # as at the end of each request
    assert named("Tanaka") == [("Tanaka",)]
