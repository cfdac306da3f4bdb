"""A service on a real database, driven as its web and worker processes would drive it."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from services.chassis.consumer import Handling
from services.chassis.database import Database
from services.chassis.deferred import Delivery
from services.chassis.errors import OwnerAway
from services.chassis.http import tokens
from services.chassis.http.application import internal_application, public_application
from services.chassis.http.keys import (
    ISSUER,
    PublicKeys,
    key_set,
    kid_of,
    new_key,
    write_private_key,
)
from services.chassis.http.pipeline import Pipeline
from services.chassis.http.raw import RawRequest, RawResponse
from services.chassis.http.request import Caller
from services.chassis.http.visits import Visits
from services.chassis.migrate import migrate
from services.chassis.roles import Role
from services.chassis.service import Route, Service, Timer
from services.chassis.settings import Settings
from services.chassis.work import Work, Workplace

SERVICES = ("referrals", "matching", "scheduling", "notifications")


@dataclass(frozen=True)
class TestDatabase:
    __test__ = False

    name: str
    service: str
    owner: str


class Databases:
    """Fresh databases copied from a migrated template, one template a service."""

    def __init__(self, admin: str) -> None:
        self.admin = admin
        self.templates: set[str] = set()

    def fresh(self, service: str) -> TestDatabase:
        template = f"template_{service}_{os.getpid()}"
        if service not in self.templates:
            self._make_template(service, template)
        name = f"test_{service}_{uuid4().hex[:12]}"
        with self._connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return TestDatabase(name, self._dsn(name, service), self._dsn(name))

    def drop(self, made: TestDatabase) -> None:
        with self._connect() as connection:
            query = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            connection.execute(query.format(sql.Identifier(made.name)))

    def _make_template(self, service: str, template: str) -> None:
        owner = f"{service}_owner"
        with self._connect() as connection:
            for role, options in ((owner, "NOLOGIN"), (service, "LOGIN")):
                known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,))
                if known.fetchone() is None:
                    query = sql.SQL("CREATE ROLE {} " + options)
                    connection.execute(query.format(sql.Identifier(role)))
            query = sql.SQL("ALTER ROLE {} PASSWORD 'test'")
            connection.execute(query.format(sql.Identifier(service)))
            for statement in (
                sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(template)),
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(template), sql.Identifier(owner)
                ),
            ):
                connection.execute(statement)
        with psycopg.connect(self._dsn(template), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
            connection.execute(f"GRANT ALL ON SCHEMA public TO {owner}")
        migrate(self._dsn(template), service)
        self.templates.add(service)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.admin, autocommit=True)

    def _dsn(self, database: str, service: str | None = None) -> str:
        more = {"dbname": database}
        if service:
            more |= {"user": service, "password": "test"}
        return psycopg.conninfo.make_conninfo(self.admin, **more)


class Owners:
    """Stands where other services' processes would answer; an unknown question finds them away."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def on(self, owner: str, path: str, answer: Any) -> None:
        """Answer a path with a value, or with a function of the body."""
        self.answers[owner, path] = answer if callable(answer) else lambda _body: answer

    def ask(self, owner: str, path: str, *, body: dict[str, Any], **_facts: Any) -> dict[str, Any]:
        self.asked.append((owner, path, body))
        if (owner, path) not in self.answers:
            raise OwnerAway(owner)
        return self.answers[owner, path](body)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def etag(self) -> str:
        return self.headers["ETag"]


@dataclass
class Scene:
    """One service, its database, a clock that the test moves, and owners that it speaks for."""

    service: type[Service]
    database: TestDatabase
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    owners: Owners = field(default_factory=Owners)
    sequences: dict[UUID, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kindred-scene-"))
        keys = [new_key(ISSUER), *(new_key(kid_of(name)) for name in SERVICES)]
        self.issuer = keys[0]
        self.service_keys = dict(zip(SERVICES, keys[1:], strict=True))
        (self.folder / "keys.json").write_text(key_set(keys))
        write_private_key(self.folder / "service.json", self.service_keys[self.service.name])
        self.pack_key = new_key("packs")
        (self.folder / "packs.json").write_text(key_set([self.pack_key]))
        (self.folder / "topology.json").write_text('{"followed": {}}')
        self.settings = Settings.from_environment(
            {
                "KINDRED_DATABASE": self.database.service,
                "KINDRED_BROKER": "amqp://127.0.0.1:1//",
                "KINDRED_TOKEN_KEYS": str(self.folder / "keys.json"),
                "KINDRED_SERVICE_KEY": str(self.folder / "service.json"),
                "KINDRED_PACK_KEYS": str(self.folder / "packs.json"),
                "KINDRED_LINK_KEY": "a link key for tests, 32 characters long",
                "KINDRED_TOPOLOGY": str(self.folder / "topology.json"),
                "KINDRED_POOL_SIZE": "20",
                "KINDRED_SIGN_IN": "referrals",
            }
        )
        self.pool = Database(self.database.service, name="test", pool_size=20)
        self.pool.open()
        self.workplace = Workplace(self.service, self.pool, self.settings, self.clock)
        keys_file = PublicKeys(self.folder / "keys.json")
        verifier = tokens.Verifier(keys_file, self.settings.token_issuer, self.service.name)
        self.visits = Visits.from_settings(self.settings, keys_file)
        pipeline = Pipeline(
            self.workplace,
            self.owners,  # type: ignore[arg-type]
            verifier,
            self.visits,
        )
        self.public = public_application(pipeline)
        self.internal = internal_application(pipeline)

    def clock(self) -> datetime:
        return self.now

    def close(self) -> None:
        self.pool.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pass_time(self, **duration: float) -> None:
        self.now += timedelta(**duration)

    def call(
        self,
        route: str,
        caller: Caller | None,
        body: Any = None,
        *,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        if_match: str | None = None,
        key: str | None = None,
    ) -> Reply:
        """Call a declared route by its name in the service's table of contents."""
        declared = next(one for one in self.service.declared(Route) if one.name == route)
        target = f"/api/{self.service.name}{declared.path}".format(**(path or {}))
        headers = {}
        if caller:
            headers["authorization"] = f"Bearer {self.token(caller)}"
        if if_match:
            headers["if-match"] = if_match
        if key:
            headers["idempotency-key"] = key
        return self.request(declared.method, target, body=body, query=query, headers=headers)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        internal: bool = False,
    ) -> Reply:
        payload, kind = b"", None
        if form is not None:
            payload, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            payload = body if isinstance(body, bytes) else json.dumps(body, default=str).encode()
            kind = "application/json"
        more = {"content-type": kind, "content-length": str(len(payload))} if kind else {}
        raw = RawRequest(
            method=method,
            path=path,
            query=urlencode(query or {}, doseq=True),
            headers={**more, **(headers or {})},
            read_body=lambda limit: payload[:limit],
        )
        response: RawResponse = (self.internal if internal else self.public).handle(raw)
        text = response.body.decode(errors="replace")  # a file need not be text
        return Reply(response.status, response.headers, text)

    def ask(
        self, path: str, *, caller: str, purpose: str, body: Any, orgs: tuple[UUID, ...] = ()
    ) -> Reply:
        """Call an internal path as another service would."""
        identity = tokens.ServiceIdentity(self.service_keys[caller], self.clock)
        headers = {
            "authorization": f"Bearer {identity.token_for(self.service.name)}",
            "kindred-purpose": purpose,
            "kindred-orgs": ",".join(map(str, orgs)),
        }
        return self.request("POST", f"/internal{path}", body=body, headers=headers, internal=True)

    def token(self, caller: Caller) -> str:
        return tokens.issue(self.issuer, caller, issuer=self.settings.token_issuer, now=self.now)

    def receive(
        self,
        type: str,  # noqa: A002
        data: Mapping[str, Any],
        *,
        subject: UUID,
        org: UUID | None = None,
        clinicorg: UUID | None = None,
        answer: Any = None,
        event_id: UUID | None = None,
        sequence: int | None = None,
    ) -> UUID:
        """Deliver an event to its queue; `answer` is what `asks` would have learned."""
        event_id = event_id or uuid4()
        if sequence is None:
            sequence = self.sequences[subject] = self.sequences.get(subject, 0) + 1
        headers = {
            "cloudEvents:specversion": "1.0",
            "cloudEvents:id": str(event_id),
            "cloudEvents:source": "/elsewhere/epochs/1",
            "cloudEvents:type": type,
            "cloudEvents:time": self.now.isoformat(),
            "cloudEvents:subject": str(subject),
            "cloudEvents:sequence": str(sequence),
        }
        if org:
            headers["cloudEvents:org"] = str(org)
        if clinicorg or org:
            headers["cloudEvents:clinicorg"] = str(clinicorg or org)
        body = json.dumps(data, default=str).encode()
        delivery = Delivery(headers=headers, content_type="application/json", body=body)
        self.handling(type, answer).handle([delivery])
        return event_id

    def handling(self, type: str, answer: Any = None) -> Handling:  # noqa: A002
        queue = f"{self.service.name}.{type.partition('.')[0]}"
        consumed = self.service.queues()[queue]
        if answer is not None:
            consumed = [
                replace(one, asks=lambda received, _: {event.id: answer for event in received})
                if one.asks
                else one
                for one in consumed
            ]
        return Handling(self.workplace, self.owners, queue, consumed)  # type: ignore[arg-type]

    def run_timer(self, name: str) -> None:
        timer = next(one for one in self.service.declared(Timer) if one.name == name)
        with self.workplace.begin() as work:
            work.act_for_all()
            timer.handler(work)

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What would leave: every event of the outbox, in order."""
        rows = self.rows("SELECT type, body FROM outbox ORDER BY position")
        return [(row["type"], json.loads(bytes(row["body"]))) for row in rows]

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """Look into the database as its administrator, past row-level security."""
        with psycopg.connect(self.database.owner, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()

    @contextmanager
    def work(self, *orgs: UUID) -> Iterator[Work]:
        with self.workplace.begin(orgs) as work:
            yield work


def wait_for(check: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError("not seen in time")


def caller(
    role: Role, *orgs: UUID, person: UUID | None = None, subject: str | None = None
) -> Caller:
    return Caller(subject or f"{role}-account", role, frozenset(orgs), person)


clinic = partial(caller, Role.CLINIC)
coordinator = partial(caller, Role.COORDINATOR)
peer = partial(caller, Role.PEER)
client = partial(caller, Role.CLIENT)
