"""Any number of rows written by one statement.

Django's `bulk_create` asks once for about a hundred rows on SQLite, because it hands over each value as a parameter
of its own, and writes its SQL anew each time. Here all rows are one JSON document, which the database takes apart,
and a statement is written once for each kind of database, as in `prepared.py`.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from awase.models.prepared import execute

IGNORE = " ON CONFLICT DO NOTHING"


def insert_all(rows: Iterable[models.Model], *, ignore: bool = False) -> None:
    """Insert these rows of one model, of which nobody needs the ids; with `ignore` only those that nothing bars."""
    made = list(rows)
    if made:
        model = type(made[0])
        fields = tuple(field for field in model._meta.concrete_fields if not field.primary_key)
        values = ([field.pre_save(row, True) for field in fields] for row in made)
        _run(_insert, model, fields, values, IGNORE * ignore)


def insert(row: models.Model) -> None:
    """Insert this row, which gets its id; whoever waits for Django's `post_save` is told."""
    fields = tuple(field for field in row._meta.concrete_fields if not field.primary_key)
    values = [field.pre_save(row, True) for field in fields]
    ((row.pk,),) = _run(_insert, type(row), fields, [values], f" RETURNING {_quoted(row._meta.pk)}")
    row._state.adding, row._state.db = False, type(row)._default_manager.db
    models.signals.post_save.send(type(row), instance=row, created=True, raw=False, using=row._state.db)


def write_all(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]], *, replace: str = ""
) -> None:
    """Insert rows with these fields, by attribute name (`page_id`); where one with the same `replace` is there, it gets
    the values instead. Values are what Python keeps: aware datetimes, tuples for JSON fields, ids for foreign keys.
    Nothing else of the model runs: neither defaults nor signals."""
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    fields, instead = tuple(by_name[name] for name in names), ""
    if replace:
        new = ", ".join(f"{_quoted(field)} = excluded.{_quoted(field)}" for field in fields)
        instead = f" ON CONFLICT ({_quoted(by_name[replace])}) DO UPDATE SET {new}"
    _run(_insert, model, fields, rows, instead)


def change_all(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Give rows of one model new values: each comes as its id and then the values, as for `write_all`."""
    by_name = {field.attname: field for field in model._meta.concrete_fields}
    fields = (model._meta.concrete_fields[0], *(by_name[name] for name in names))
    _run(_update, model, fields, rows)


def _run(
    statement: Callable[..., str],
    model: type[models.Model],
    fields: "tuple[models.Field[Any, Any], ...]",
    rows: Iterable[Sequence[Any]],
    *further: str,
) -> list[Any]:
    database = connections[model._default_manager.db]
    hand_over = [_handing(field, database) for field in fields]
    handed = [[hand(value) for hand, value in zip(hand_over, row, strict=True)] for row in rows]
    if not handed:
        return []
    (found,) = execute(database, (statement(model, fields, database.vendor, *further), [json.dumps(handed)]))
    return found


@cache
def _insert(model: type[models.Model], fields: "tuple[models.Field[Any, Any], ...]", vendor: str, instead: str) -> str:
    columns = ", ".join(map(_quoted, fields))
    return f"INSERT INTO {model._meta.db_table} ({columns}) {_handed(model, fields, vendor)} WHERE true{instead}"


@cache
def _update(model: type[models.Model], fields: "tuple[models.Field[Any, Any], ...]", vendor: str) -> str:
    table, (key, *values) = model._meta.db_table, map(_quoted, fields)
    new = ", ".join(f"{value} = new.{value}" for value in values)
    return f"UPDATE {table} SET {new} FROM ({_handed(model, fields, vendor)}) AS new WHERE {table}.{key} = new.{key}"  # noqa: S608  # names of our own


def _handed(model: type[models.Model], fields: "tuple[models.Field[Any, Any], ...]", vendor: str) -> str:
    """The rows that are handed over, with their columns named."""
    database = connections[model._default_manager.db]
    columns = (f"{_taken_out(at, field, database)} AS {_quoted(field)}" for at, field in enumerate(fields))
    source = "json_each(%s)" if vendor == "sqlite" else "jsonb_array_elements(%s::jsonb) AS handed(value)"
    return f"SELECT {', '.join(columns)} FROM {source}"  # noqa: S608  # names of our own


def _quoted(field: "models.Field[Any, Any]") -> str:
    return f'"{field.column}"'


def _taken_out(position: int, field: "models.Field[Any, Any]", database: BaseDatabaseWrapper) -> str:
    if database.vendor == "sqlite":
        return f"json_extract(value, '$[{position}]')"
    if isinstance(field, models.CharField | models.TextField):
        return f"value->>{position}"  # a cast would cut off what is too long
    return f"(value->>{position})::{field.db_type(database)}"


def _handing(field: "models.Field[Any, Any]", database: BaseDatabaseWrapper) -> Callable[[Any], Any]:
    """How values of this field are put into the document. Many rows have the same ones, which are written out once."""
    if isinstance(field, models.JSONField):
        known = cache(json.dumps)
        return lambda value: known(value) if isinstance(value, tuple) else json.dumps(value)
    if isinstance(field, models.DateTimeField):
        return cache(lambda value: value and str(database.ops.adapt_datetimefield_value(value)))
    return lambda value: value
