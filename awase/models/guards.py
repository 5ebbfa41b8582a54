"""Constraints that each kind of database words differently: no two active host times of a member overlap.

They are put in place after every migrate, because remaking a SQLite table silently drops its triggers.
"""

from typing import Any

from django.db import DatabaseError, connections

OVERLAP = "host is taken at that time"

_SQLITE = """
CREATE TRIGGER host_time_no_overlap_{event} BEFORE {event} ON awase_hosttime
WHEN NEW.active BEGIN
  SELECT RAISE(ABORT, '{message}') WHERE EXISTS (
    SELECT 1 FROM awase_hosttime AS other
    WHERE other.member_id = NEW.member_id AND other.active AND other.id IS NOT NEW.id
      AND other.start < NEW."end" AND NEW.start < other."end");
END
"""


def install_guards(using: str = "default", **_: Any) -> None:
    """Create the overlap guard on the database `using`; safe to repeat."""
    connection = connections[using]
    if "awase_hosttime" not in connection.introspection.table_names():
        return
    if connection.vendor != "sqlite":
        raise DatabaseError(f"no overlap guard is known for {connection.vendor}")
    with connection.cursor() as cursor:
        for event in ("INSERT", "UPDATE"):
            cursor.execute(f"DROP TRIGGER IF EXISTS host_time_no_overlap_{event}")
            cursor.execute(_SQLITE.format(event=event, message=OVERLAP))
