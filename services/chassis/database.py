"""The pool, and transactions that act for named organisations."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakSet

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

Connection = psycopg.Connection[DictRow]
T = TypeVar("T")

# How long somebody may wait for a connection.
PATIENCE_SECONDS = 5

# A stuck statement, a stranger's lock or a forgotten transaction ends by itself.
SESSION: dict[str, Any] = {
    "options": "-c statement_timeout=15s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=30s -c timezone=UTC",
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
}

# Longer than the server lets any statement take: if it says nothing for so long, it stands still.
SILENCE_SECONDS = 18.0


class ImpatientConnection(psycopg.Connection[DictRow]):
    """Gives up on a server that does not answer; by itself psycopg waits for ever."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        if timeout is not None:  # psycopg's own limit; what it does then is its own as well
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, SILENCE_SECONDS)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()  # what has become of the statement is not known
            raise psycopg.OperationalError("the server does not answer") from None


def connect(dsn: str, name: str, *, autocommit: bool = False) -> Connection:
    """Open one connection for a loop that keeps it."""
    return ImpatientConnection.connect(
        dsn, application_name=name, row_factory=dict_row, autocommit=autocommit, **SESSION
    )


def act_for(connection: psycopg.Connection[Any], orgs: Iterable[UUID]) -> None:
    """Let the current transaction see the rows of these organisations, and no others."""
    connection.execute("SELECT set_config('kindred.orgs', %s, true)", (_listed(orgs),))


def require_open(connection: psycopg.Connection[Any]) -> None:
    """Raise if the server has left, by a look at the socket and without asking the server.

    It says why it leaves before it closes, so there may be two things to read.
    """
    connection.pgconn.consume_input()
    connection.pgconn.consume_input()


class NotReplicated(psycopg.OperationalError):
    """The commit stands here, but the standby may not have it: it must not be answered for."""


# Connections whose last commit gave up waiting for the standby.
_doubtful: WeakSet[Connection] = WeakSet()
_GIVES_UP_WAITING = "SyncRepWaitForLSN"  # the server's own name for where a commit waits


def _listen_for_doubt(connection: Connection) -> None:
    """Whoever cancels a commit's wait for the standby ends it with a mere warning."""

    def note(notice: psycopg.errors.Diagnostic) -> None:
        if notice.source_function == _GIVES_UP_WAITING:
            _doubtful.add(connection)

    connection.add_notice_handler(note)


class ReadOnly(psycopg.OperationalError):
    """The server takes no writes for now, as a standby: to us it is as if it were away."""


class Database:
    """A service's database, as the service's own role."""

    def __init__(self, dsn: str, *, name: str, pool_size: int) -> None:
        self.pool: ConnectionPool[Connection] = ConnectionPool(
            dsn,
            connection_class=ImpatientConnection,
            min_size=1,
            max_size=pool_size,
            timeout=PATIENCE_SECONDS,
            max_lifetime=1800,
            # The pool doubles its pauses for this long and then gives up until it is asked again;
            # by default it would still be waiting minutes after a long outage has ended.
            reconnect_timeout=1,
            open=False,
            check=require_open,
            configure=_listen_for_doubt,
            # We begin and end transactions ourselves.
            kwargs={
                "application_name": name,
                "row_factory": dict_row,
                "autocommit": True,
                **SESSION,
            },
        )

    def open(self) -> None:
        self.pool.open()

    def close(self) -> None:
        self.pool.close(timeout=5)

    @contextmanager
    def transaction(
        self, orgs: Iterable[UUID] = (), *, last: Callable[[], object] = lambda: None
    ) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        `last` sends its statements, and the commit is sent with them, before any is answered.
        """
        connection = self._take()
        try:
            _begin(connection, orgs)
            try:
                yield connection
                _commit(connection, last)
            except BaseException as error:
                with suppress(psycopg.Error):  # the pool throws away what cannot even be undone
                    connection.execute("ROLLBACK")
                if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                    connection.close()  # the next one may find a server that takes writes
                    raise ReadOnly from error
                raise
        finally:
            self.pool.putconn(connection)

    def _take(self) -> Connection:
        """Ask the pool every second: it begins to connect anew only when it is asked."""
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.pool.getconn(timeout=1)
            except PoolTimeout:
                if monotonic() > deadline:
                    raise


def _begin(connection: Connection, orgs: Iterable[UUID]) -> None:
    """Begin, and say for whom, in one message to the server."""
    query = f"BEGIN; SELECT set_config('kindred.orgs', '{_listed(orgs)}', true)"
    connection.execute(query.encode(), prepare=False)


def _commit(connection: Connection, last: Callable[[], object]) -> None:
    """Commit; after a failed statement that nobody minded, a server answers with a mere word."""
    with connection.pipeline():
        last()
        committed = connection.execute("COMMIT")
    if committed.statusmessage != "COMMIT":
        raise psycopg.errors.InFailedSqlTransaction("a statement failed: nothing is stored")
    if connection in _doubtful:
        connection.close()
        raise NotReplicated("the commit did not reach the standby in time")


def _listed(orgs: Iterable[UUID]) -> str:
    """Hexadecimal digits need no quoting, and what is no UUID has none to give."""
    return "{" + ",".join([org.hex for org in orgs]) + "}"
