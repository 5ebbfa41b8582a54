"""PostgreSQL asked straight through libpq, the lower half of psycopg.

A statement is prepared once on each connection. What psycopg's cursors do besides (choosing how each value is written,
watching the socket step by step) takes several times as long as the server needs to answer. Several statements make
one journey, which spares both sides as many changes of process.
"""

from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import count
from select import POLLIN, POLLOUT, poll
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import Connection, DataError, OperationalError
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

Asked = tuple[str, Sequence[Any]]
Rows = list[tuple[Any, ...]]
Sent = tuple[bytes, list[bytes | None]]

_known: WeakKeyDictionary[Connection[Any], set[bytes]] = WeakKeyDictionary()  # what each connection has prepared
_numbers = count(1)


def ask(raw: Connection[Any], asked: Sequence[Asked]) -> list[Rows]:
    """The rows of each statement (none if it yields none), in one journey; what follows one that fails is not done.
    `%s` stands for a parameter. Begins the transaction that psycopg owes. Raises psycopg's errors."""
    pgconn = raw.pgconn
    sent = [_sent(raw, sql, parameters) for sql, parameters in asked]
    begins = not raw.autocommit and pgconn.transaction_status == TransactionStatus.IDLE
    if len(sent) == 1 and not begins:
        name, values = sent[0]
        results = [pgconn.exec_prepared(name, values)]  # type: ignore[arg-type]  # NULL is None
    else:
        results = _at_once(pgconn, sent, begins=begins)
    return [_rows(raw, result) for result in results][begins:]


def is_quiet(raw: Connection[Any]) -> bool:
    """Whether nothing has come over an idle connection: of a server that ended or was restarted something would."""
    return not _ready(raw.pgconn.socket, POLLIN, 0)


@cache
def _statement(sql: str) -> tuple[bytes, bytes]:
    """A name for a statement, and its text with numbered parameters."""
    first, *others = sql.split("%s")
    numbered = first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))
    return b"awase_%d" % next(_numbers), numbered.replace("%%", "%").encode()


def _sent(raw: Connection[Any], sql: str, parameters: Sequence[Any]) -> Sent:
    """What is sent to have a statement executed, which is prepared if the connection does not know it yet."""
    name, text = _statement(sql)
    known = _known.get(raw)
    if known is None:
        known = _known[raw] = set()
    if name not in known:
        _checked(raw, raw.pgconn.prepare(name, text))
        known.add(name)
    return name, [_text(raw, value) for value in parameters]


def _text(raw: Connection[Any], value: Any) -> bytes | None:
    """A value as text; the server knows by the statement which type is meant."""
    if value is None:
        return None
    if isinstance(value, str):
        if "\0" in value:  # would end the text there
            raise DataError("PostgreSQL's texts cannot contain NUL")
        return value.encode()
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int):
        return b"%d" % value
    if isinstance(value, date):  # or a moment
        return value.isoformat().encode()
    if isinstance(value, list):
        return b"{%s}" % b",".join([b"%d" % one for one in value])
    return bytes(Transformer(raw).get_dumper(value, PyFormat.TEXT).dump(value) or b"")


def _at_once(pgconn: PGconn, sent: Sequence[Sent], *, begins: bool) -> list[PGresult]:
    """The result of each, in order; that of BEGIN first if a transaction begins."""
    pgconn.enter_pipeline_mode()
    try:
        if begins:
            pgconn.send_query_params(b"BEGIN", None)
        for name, values in sent:
            pgconn.send_query_prepared(name, values)
        pgconn.pipeline_sync()
        return _results(pgconn)
    finally:
        pgconn.exit_pipeline_mode()


def _results(pgconn: PGconn) -> list[PGresult]:
    while pgconn.flush():
        if _ready(pgconn.socket, POLLIN | POLLOUT) & POLLIN:  # answers that nobody takes would bar what follows
            pgconn.consume_input()
    results: list[PGresult] = []
    while True:
        while pgconn.is_busy():  # waited for here: `get_result` would let no other thread work meanwhile
            _ready(pgconn.socket, POLLIN)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:  # all that there is of one statement
            if pgconn.status != ConnStatus.OK:
                raise OperationalError("the connection is lost")
        elif result.status == ExecStatus.PIPELINE_SYNC:
            return results
        else:
            results.append(result)


def _ready(socket: int, wanted: int, milliseconds: int | None = None) -> int:
    waiting = poll()
    waiting.register(socket, wanted)
    return next((event for _, event in waiting.poll(milliseconds)), 0)


def _checked(raw: Connection[Any], result: PGresult) -> PGresult:
    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        error = error_from_result(result, encoding=raw.info.encoding)
        if raw.pgconn.status != ConnStatus.OK:  # lost; whoever said so may not have been the server
            raise OperationalError(str(error))
        raise error
    return result


def _rows(raw: Connection[Any], result: PGresult) -> Rows:
    transformer = Transformer(raw)
    transformer.set_pgresult(_checked(raw, result))
    return transformer.load_rows(0, result.ntuples, tuple)
