"""Constraints that each kind of database words differently: no two active rows of one host, or one room, overlap.

They are put in place after every migrate, because remaking a SQLite table silently drops its triggers.
"""

from typing import Any

from django.db import DatabaseError, connections

OVERLAP = "no_overlap"
"""Part of the database's message whenever it refuses a row for one of these reasons, in any of its languages."""

GUARDED = (("awase_hosttime", "member_id"), ("awase_roomtime", "room_id"))
"""Tables with `start`, `end` and `active`, and the column that says whose time it is."""

_SQLITE = """
CREATE TRIGGER {table}_no_overlap_{event} BEFORE {event} ON {table}
WHEN NEW.active BEGIN
  SELECT RAISE(ABORT, '{table}_no_overlap') WHERE EXISTS (
    SELECT 1 FROM {table} AS other
    WHERE other.{whose} = NEW.{whose} AND other.active AND other.id IS NOT NEW.id
      AND other.start < NEW."end" AND NEW.start < other."end");
END
"""
# Bounds are half-open, as everywhere. The extension may be created by the database's owner.
_POSTGRESQL = """
ALTER TABLE {table} ADD CONSTRAINT {table}_no_overlap
EXCLUDE USING gist ({whose} WITH =, tstzrange(start, "end") WITH &&) WHERE (active)
"""


def install_guards(using: str = "default", **_: Any) -> None:
    """Create the overlap guards on the database `using`; safe to repeat."""
    connection = connections[using]
    install = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}.get(connection.vendor)
    if install is None:
        raise DatabaseError(f"no overlap guard is known for {connection.vendor}")
    tables = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table, whose in GUARDED:
            if table in tables:
                install(cursor, table, whose)


def _on_sqlite(cursor: Any, table: str, whose: str) -> None:
    for event in ("INSERT", "UPDATE"):
        cursor.execute(f"DROP TRIGGER IF EXISTS {table}_no_overlap_{event}")
        cursor.execute(_SQLITE.format(table=table, whose=whose, event=event))


def _on_postgresql(cursor: Any, table: str, whose: str) -> None:
    name = f"{table}_no_overlap"
    cursor.execute("SELECT 1 FROM pg_constraint WHERE conrelid = %s::regclass AND conname = %s", [table, name])
    if not cursor.fetchone():
        cursor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        cursor.execute(_POSTGRESQL.format(table=table, whose=whose))
