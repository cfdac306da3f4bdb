"""What the checker judges by, read from databases, mails and two ledgers of our own.

Nothing here knows the services' code: tables, headers and files only.
"""

import email.parser
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]
_READINGS = 5
_TOPOLOGY = Path(__file__).parents[2] / "deploy" / "topology.json"


@dataclass(frozen=True)
class Queue:
    name: str
    consumer: str
    producer: str
    aggregate: str


@dataclass(frozen=True)
class Evidence:
    """Where to look; `ledger` and `injected` may be missing, and then nothing is said of them."""

    databases: Mapping[str, str]  # an administrator's address for each service's
    mail: Path
    ledger: Path | None = None
    injected: Path | None = None


@dataclass(frozen=True)
class Command:
    """One line of the load's ledger: what was asked for, and what was answered."""

    command: str
    answer: str  # accepted, refused or unknown
    subject: str | None  # the aggregate's id, or the mark under which to look for it
    facts: Mapping[str, Any]


@dataclass
class Injected:
    """Messages that were published to do harm, and what they concern."""

    events: set[UUID] = field(default_factory=set)
    aggregates: set[UUID] = field(default_factory=set)
    bodies: set[str] = field(default_factory=set)  # by their SHA-256

    def explains(self, row: Row) -> bool:
        """Tell whether a parked event is one of these, or of an aggregate made up by us."""
        return (
            row["event_id"] in self.events
            or row["aggregate_id"] in self.aggregates
            or row["body_hash"] in self.bodies
        )


@dataclass
class Facts:
    queues: list[Queue]
    events: dict[str, list[Row]]  # by producer: sent and unsent
    streams: dict[str, dict[tuple[str, UUID], int]]
    inbox: dict[str, set[UUID]]  # by queue
    positions: dict[str, dict[UUID, tuple[int, int]]]
    deferred: dict[str, list[Row]]
    tables: dict[str, list[Row]]  # `<service>.<table>`, whole
    mails: dict[str, list[tuple[str, str]]]  # by Message-ID: file and recipient
    commands: list[Command] | None
    injected: Injected

    def of_queue(self, queue: Queue) -> list[Row]:
        return [one for one in self.events[queue.producer] if one["aggregate"] == queue.aggregate]

    def queue(self, name: str) -> Queue:
        return next(queue for queue in self.queues if queue.name == name)


_EVENTS = """
    SELECT event_id, type, aggregate, aggregate_id, epoch, sequence, occurred_at, body, {sent}
      FROM {table}
"""
_TABLES = {
    "referrals": ("referrals", "steps"),
    "matching": ("matches", "peers"),
    "scheduling": ("matches", "sessions", "claims"),
    "notifications": ("messages",),
}


def read(evidence: Evidence) -> Facts:
    """Read all of it, again while events are still being told, so that it is of one moment."""
    with ExitStack() as stack:
        open_ = {
            service: stack.enter_context(
                psycopg.connect(address, row_factory=dict_row, autocommit=True)
            )
            for service, address in evidence.databases.items()
        }
        for _ in range(_READINGS):
            before = _events_of_all(open_)
            facts = _read(evidence, open_)
            if facts.events == before:
                break
        return facts


def _read(evidence: Evidence, open_: Mapping[str, psycopg.Connection[Row]]) -> Facts:
    return Facts(
        queues=_queues(),
        streams={service: _streams(database) for service, database in open_.items()},
        inbox=_inbox(open_),
        positions={
            queue: {row["aggregate_id"]: (row["epoch"], row["sequence"]) for row in rows}
            for queue, rows in _rows_by_queue(open_, "SELECT * FROM positions").items()
        },
        deferred=_deferred(open_),
        tables={
            f"{service}.{table}": open_[service].execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
            for service, tables in _TABLES.items()
            for table in tables
        },
        mails=_mails(evidence.mail),
        commands=_commands(evidence.ledger),
        injected=_injected(evidence.injected),
        events=_events_of_all(open_),  # last of all, see above
    )


def _events_of_all(open_: Mapping[str, psycopg.Connection[Row]]) -> dict[str, list[Row]]:
    return {service: _events(database) for service, database in open_.items()}


def _queues() -> list[Queue]:
    bindings = json.loads(_TOPOLOGY.read_text())["bindings"]
    return [
        Queue(
            name=binding["queue"],
            consumer=binding["queue"].split(".")[0],
            producer=binding["exchange"].removesuffix(".events"),
            aggregate=binding["routing_key"].removesuffix(".#"),
        )
        for binding in bindings
    ]


def _events(database: psycopg.Connection[Row]) -> list[Row]:
    """An event sent again stands in both tables; it is one event."""
    known: dict[UUID, Row] = {}
    for table, sent in (("outbox", "false AS sent"), ("outbox_sent", "true AS sent")):
        for row in database.execute(_EVENTS.format(table=table, sent=sent)):
            known[row["event_id"]] = row
    for row in known.values():
        row["data"] = json.loads(bytes(row.pop("body")))
    return sorted(known.values(), key=lambda row: (row["epoch"], row["sequence"]))


def _streams(database: psycopg.Connection[Row]) -> dict[tuple[str, UUID], int]:
    rows = database.execute("SELECT aggregate, aggregate_id, sequence FROM streams")
    return {(row["aggregate"], row["aggregate_id"]): row["sequence"] for row in rows}


def _rows_by_queue(
    databases: Mapping[str, psycopg.Connection[Row]], query: str
) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for database in databases.values():
        for row in database.execute(query):
            found[row["consumer"]].append(row)
    return found


def _inbox(databases: Mapping[str, psycopg.Connection[Row]]) -> dict[str, set[UUID]]:
    rows = _rows_by_queue(databases, "SELECT consumer, event_id FROM inbox")
    found = {queue: {row["event_id"] for row in entries} for queue, entries in rows.items()}
    return defaultdict(set, found)


def _deferred(databases: Mapping[str, psycopg.Connection[Row]]) -> dict[str, list[Row]]:
    query = """
        SELECT consumer, event_id, type, aggregate_id, epoch, sequence, state, reason,
               encode(sha256(body), 'hex') AS body_hash
          FROM deferred
    """
    return _rows_by_queue(databases, query)


def _mails(folder: Path) -> dict[str, list[tuple[str, str]]]:
    mails: dict[str, list[tuple[str, str]]] = defaultdict(list)
    parser = email.parser.BytesHeaderParser()
    for path in sorted(folder.glob("*.eml")):
        headers = parser.parsebytes(path.read_bytes())
        identity = str(headers["Message-ID"]).strip().strip("<>").split("@")[0]
        mails[identity].append((path.name, str(headers["To"])))
    return mails


def _lines(path: Path | None) -> Iterator[dict[str, Any]]:
    if path is not None and path.exists():
        with path.open() as file:
            yield from (json.loads(line) for line in file if line.endswith("\n"))


def _commands(path: Path | None) -> list[Command] | None:
    if path is None:
        return None
    return [
        Command(line["command"], line["answer"], line["subject"], line["facts"])
        for line in _lines(path)
    ]


def _injected(path: Path | None) -> Injected:
    injected = Injected()
    for line in _lines(path):
        if line.get("event_id"):
            injected.events.add(UUID(line["event_id"]))
        if line.get("aggregate_id"):
            injected.aggregates.add(UUID(line["aggregate_id"]))
        if line.get("body_hash"):
            injected.bodies.add(line["body_hash"])
    return injected
