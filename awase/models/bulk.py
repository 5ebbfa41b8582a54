"""Any number of rows written by one statement.

Django's `bulk_create` asks once for about a hundred rows on SQLite, because it hands over each value as a parameter
of its own; here all rows are one JSON document, which the database takes apart.
"""

import json
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper


def write_all(
    model: type[models.Model], names: Sequence[str], rows: Collection[Sequence[Any]], *, replace: str = ""
) -> None:
    """Insert rows with these fields, by attribute name (`page_id`); where one with the same `replace` is there, it gets
    the values instead. Values are what Python keeps: aware datetimes, tuples for JSON fields, ids for foreign keys.
    Nothing else of the model runs: neither defaults nor signals."""
    if not rows:
        return
    database = connections[model._default_manager.db]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    chosen = [fields[name] for name in names]
    columns = [database.ops.quote_name(str(field.column)) for field in chosen]
    values = ", ".join(_taken_out(position, field, database) for position, field in enumerate(chosen))
    source = "json_each(%s)" if database.vendor == "sqlite" else "jsonb_array_elements(%s::jsonb) AS handed(value)"
    sql = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {values} FROM {source} WHERE true"  # noqa: S608  # names of our own
    if replace:
        new = ", ".join(f"{column} = excluded.{column}" for column in columns)
        sql += f" ON CONFLICT ({database.ops.quote_name(str(fields[replace].column))}) DO UPDATE SET {new}"
    hand_over = [_handing(field, database) for field in chosen]
    handed = json.dumps([[hand(value) for hand, value in zip(hand_over, row, strict=True)] for row in rows])
    with database.cursor() as cursor:
        cursor.execute(sql, [handed])


def _taken_out(position: int, field: "models.Field[Any, Any]", database: BaseDatabaseWrapper) -> str:
    if database.vendor == "sqlite":
        return f"json_extract(value, '$[{position}]')"
    return f"(value->>{position})::{field.db_type(database)}"


def _handing(field: "models.Field[Any, Any]", database: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    """How values of this field are put into the document. Many rows have the same ones, which are written out once."""
    if isinstance(field, models.JSONField):
        return cache(json.dumps)
    if isinstance(field, models.DateTimeField):
        return cache(lambda value: str(database.ops.adapt_datetimefield_value(value)))
    return lambda value: value
