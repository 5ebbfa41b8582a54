"""Queries whose SQL is written once.

Django writes the SQL of a query anew each time that it is asked, which takes several times as long as the
database needs to answer. A prepared query is built and written out once for each kind of database; from then
on only its parameters change. Nothing but a change of the code could change its text.

    @prepared
    def of_pages(pages):
        return PageMember.objects.filter(page__among=pages).values_list("page_id", "member_id")

    of_pages([1, 2, 3])  # a list of rows; of model instances if the query yields these
"""

import inspect
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, update_wrapper
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, ForeignObject, Lookup, QuerySet
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row")
if TYPE_CHECKING:
    AnyLookup = Lookup[Any]
else:
    AnyLookup = Lookup


# PostgreSQL makes the plan that it keeps for few ids. It would go through all of thousands for each row; told them in
# the text, it makes a table of them first.
FEW = 500


class Parameter(Expression):
    """Stands for the value that is given at this position whenever the query is asked."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]


@ForeignObject.register_lookup
@Field.register_lookup
class Among(AnyLookup):
    """`field__among=ids`: like `in`, with one parameter for any number of ids."""

    lookup_name = "among"

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        return self._sql("{} IN (SELECT value FROM json_each({}))", compiler, connection)

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        return self._sql("{} = ANY({}::bigint[])", compiler, connection)

    def _sql(self, form: str, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        left, left_parameters = self.process_lhs(compiler, connection)
        right, right_parameters = compiler.compile(self.rhs)
        return form.format(left, right), [*left_parameters, *right_parameters]


class Prepared(Generic[Row]):
    """A query that is asked with values for the parameters of the function that builds it."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self.build = build
        self.plans: dict[str, _Plan[Row]] = {}
        update_wrapper(self, build)

    def __call__(self, *values: Any) -> list[Row]:
        (rows,) = together(self.of(*values))
        return rows

    def of(self, *values: Any) -> "Question[Row]":
        """What `together` asks."""
        database = connections[DEFAULT_DB_ALIAS]
        plan = self.plans.get(database.vendor)
        if plan is None:
            count = len(inspect.signature(self.build).parameters)
            plan = self.plans[database.vendor] = _Plan.of(self.build(*map(Parameter, range(count))), database)
        return Question(plan, values)


prepared = Prepared


@dataclass(frozen=True, slots=True)
class _Plan(Generic[Row]):
    """The SQL with its parameters, and how rows become what the query yields."""

    sql: str
    parameters: tuple[Any, ...]
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]
    shape: Callable[[Sequence[Any]], Row] | None  # None: the bare columns

    @classmethod
    def of(cls, rows: QuerySet[Any, Row], database: BaseDatabaseWrapper) -> "_Plan[Row]":
        compiler = rows.query.get_compiler(connection=database)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([expression for expression, *_ in compiler.select])
        return cls(
            sql,
            tuple(parameters),
            tuple((at, _chained(found, expression)) for at, (found, expression) in converters.items()),
            _instances(compiler) if issubclass(rows._iterable_class, ModelIterable) else None,
        )

    def filled(self, values: Sequence[Any], database: BaseDatabaseWrapper) -> list[Any]:
        """The parameters with these values."""
        adapted = [_adapted(value, database) for value in values]
        return [adapted[one.position] if isinstance(one, Parameter) else one for one in self.parameters]

    def yielded(self, rows: list[Any]) -> list[Row]:
        """What the query yields of the database's rows."""
        if self.converters:
            rows = [self._converted(row) for row in rows]
        return rows if self.shape is None else [self.shape(row) for row in rows]

    def _converted(self, row: Sequence[Any]) -> Sequence[Any]:
        columns = list(row)
        for at, convert in self.converters:
            columns[at] = convert(columns[at])
        return tuple(columns)


@dataclass(frozen=True, slots=True)
class Question(Generic[Row]):
    """A prepared query with the values that it is asked with."""

    plan: _Plan[Row]
    values: tuple[Any, ...]


def together(*questions: Question[Any]) -> tuple[list[Any], ...]:
    """The rows of each of these queries, asked in one journey where the database is another process.

    people, places = together(_people_on.of(ids), _places_of.of(ids))
    """
    database = connections[DEFAULT_DB_ALIAS]
    found = execute(database, *((one.plan.sql, one.plan.filled(one.values, database)) for one in questions))
    return tuple(one.plan.yielded(rows) for one, rows in zip(questions, found, strict=True))


def execute(database: BaseDatabaseWrapper, *asked: tuple[str, Sequence[Any]]) -> list[list[Any]]:
    """The rows of statements that are always the same text, each with its parameters. Straight to the driver, because
    Django's cursor needs as long as the database. Where queries are logged (tests count them), through that cursor
    after all."""
    if database.queries_logged:
        return [_by_django(database, *one) for one in asked]
    if database.vendor == "sqlite":
        return _execute_on_sqlite(database, asked)
    return _execute_on_postgresql(database, asked)


def _execute_on_postgresql(database: Any, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Any]]:
    from awase.models import libpq  # with the driver, for those who use this database

    if any(isinstance(value, list) and len(value) > FEW for _sql, parameters in asked for value in parameters):
        return [_by_django(database, *one) for one in asked]
    if database.connection is not None and not database.health_check_done and libpq.is_quiet(database.connection):
        database.health_check_done = True  # without a journey of its own
    _ready(database)
    with database.wrap_database_errors:
        return libpq.ask(database.connection, asked)


def _execute_on_sqlite(database: BaseDatabaseWrapper, asked: Iterable[tuple[str, Sequence[Any]]]) -> list[list[Any]]:
    _ready(database)
    with database.wrap_database_errors:
        cursor = database.connection.cursor()
        return [cursor.execute(_question_marks(sql), parameters).fetchall() for sql, parameters in asked]


def _ready(database: BaseDatabaseWrapper) -> None:
    database.close_if_health_check_failed()
    database.ensure_connection()
    database.validate_no_broken_transaction()


def _by_django(database: BaseDatabaseWrapper, sql: str, parameters: Sequence[Any]) -> list[Any]:
    with database.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


@cache
def _question_marks(sql: str) -> str:
    return sql.replace("%s", "?").replace("%%", "%")


def _adapted(value: Any, database: BaseDatabaseWrapper) -> Any:
    """A value as the database takes it."""
    if isinstance(value, int | str | bytes):
        return value
    if isinstance(value, datetime):
        return database.ops.adapt_datetimefield_value(value)
    if isinstance(value, date):
        return database.ops.adapt_datefield_value(value)
    if isinstance(value, Collection):
        return json.dumps(list(value)) if database.vendor == "sqlite" else list(value)
    return value


def _chained(converters: Sequence[Callable[..., Any]], expression: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        for converter in converters:
            value = converter(value, expression, connection)
        return value

    return convert


def _instances(compiler: SQLCompiler) -> Callable[[Sequence[Any]], Any]:
    """As Django makes instances of rows, with those that `select_related` names."""
    known = compiler.klass_info
    first, last = known["select_fields"][0], known["select_fields"][-1] + 1
    names = [expression.target.attname for expression, *_ in compiler.select[first:last]]
    populators = get_related_populators(known, compiler.select, connection.alias)  # type: ignore[call-arg]  # the stubs are those of Django 6

    def instance(row: Sequence[Any]) -> Any:
        made = known["model"].from_db(connection.alias, names, row[first:last])
        for populator in populators:
            populator.populate(row, made)
        return made

    return instance
