"""The main job as its callers do it, from a referral to the peer's schedule notice."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.rows import dict_row

from deploy.region.api import Account
from deploy.region.story import a_consent, a_referral, rfc3339
from tests.benchmarks.load import Client, Heard
from tests.benchmarks.measured import Measured, Region

SHORTLISTED = """
    SELECT DISTINCT referral_id
      FROM matches
     WHERE referral_id = ANY (%s::uuid[]) AND state <> 'waiting'
"""
_LOOK_SECONDS = 0.02
_PATIENCE_SECONDS = 20.0
_GIVEN = ("Ada", "Bela", "Carmen", "Dario", "Elif", "Femi", "Grete", "Hana")


class NeverCame(Exception):
    """What a referral should have brought did not come in time."""


@dataclass
class Shortlists:
    """Tells the moment at which each referral's shortlist became readable.

    It does not poll through the API, which would be a load of its own: it listens to the hint
    that matching gives with each commit, and then asks the database, one query for everybody
    who waits. What is seen there is committed, so a GET begun at that moment shows it.
    """

    dsn: str
    query: str
    _waiting: dict[str, tuple[threading.Event, list[float]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Shortlists":
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, referral_id: str) -> float:
        """When it was there, by time.monotonic()."""
        came: tuple[threading.Event, list[float]] = (threading.Event(), [])
        with self._lock:
            self._waiting[referral_id] = came
        if not came[0].wait(_PATIENCE_SECONDS):
            raise NeverCame(f"the shortlist of {referral_id}")
        return came[1][0]

    def _watch(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True, row_factory=dict_row) as connection:
            connection.execute("LISTEN outbox")
            while not self._stop.is_set():
                for _ in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                    pass
                self._look(connection)

    def _look(self, connection: psycopg.Connection[Any]) -> None:
        with self._lock:
            wanted = list(self._waiting)
        if not wanted:
            return
        found = connection.execute(self.query, (wanted,)).fetchall()
        now = time.monotonic()
        for row in found:
            with self._lock:
                came = self._waiting.pop(str(row["referral_id"]))
            came[1].append(now)
            came[0].set()


def shortlists_of(system: Measured) -> Shortlists:
    address = f"127.0.0.1:{system.port('postgres', 'postgresql')}"
    dsn = f"postgresql://postgres:{system.secret('postgres')}@{address}/matching"
    return Shortlists(dsn, SHORTLISTED)


@dataclass
class Callers:
    """Everybody who takes a step, with their tokens made beforehand."""

    system: Measured
    region: Region
    client: Client = field(init=False)
    _tokens: dict[Account, str] = field(default_factory=dict)
    _hours: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.client = Client(self.system.gateway_url)
        self._first_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self._first_hour += timedelta(days=1)

    def call(self, method: str, path: str, by: Account, body: Any = None, **headers: str) -> Heard:
        return self.client.call(method, path, token=self.token(by), body=body, **headers)

    def token(self, by: Account) -> str:
        known = self._tokens.get(by)
        if known is None:
            known = self.system.token(by.role, by.account, by.orgs, by.person)
            if by.role not in ("client", "peer"):  # as many as there are referrals
                self._tokens[by] = known
        return known

    def submit(self, number: int) -> dict[str, Any]:
        body = referral(number)
        path = "/api/referrals/referrals"
        answer = self.call("POST", path, self.region.clinic(number), body).expect(201)
        return dict(answer.body)

    def read_shortlist(self, referral_id: str) -> Heard:
        path = f"/api/matching/referrals/{referral_id}/shortlist"
        return self.call("GET", path, self.region.coordinator).expect(200)

    def next_hour(self, peer_id: str) -> datetime:
        """A time of the peer's that nobody else has booked here."""
        with self._lock:
            self._hours[peer_id] += 1
            return self._first_hour + timedelta(hours=self._hours[peer_id])

    def do(self, number: int, shortlists: Shortlists) -> None:
        """The whole job but for the last notice, which comes by itself."""
        coordinator = self.region.coordinator
        taken = self.submit(number)
        referral_id, path = taken["id"], f"/api/referrals/referrals/{taken['id']}"
        seen = self.call("GET", path, coordinator).expect(200).headers["ETag"]
        self.call("POST", f"{path}/accept", coordinator, {}, If_Match=seen).expect(200)
        shortlists.wait_for(referral_id)
        seen = self.read_shortlist(referral_id).headers["ETag"]
        path = f"/api/matching/referrals/{referral_id}/offer"
        offer = self.call("POST", path, coordinator, {}, If_Match=seen).expect(201).body
        client = self.region.client(taken["clinic_id"], taken["client_id"])
        path = f"/api/matching/offers/{offer['offer_id']}/choose"
        match = self.call("POST", path, client, {}).expect(200).body
        peer = self.region.peer(match["peer_organisation_id"], match["peer_id"])
        path = f"/api/matching/matches/{match['match_id']}/accept"
        self.call("POST", path, peer, {}).expect(200)
        starts_at = rfc3339(self.next_hour(match["peer_id"]))
        body = {"match_id": match["match_id"], "starts_at": starts_at, "minutes": 50}
        self.call("POST", "/api/scheduling/sessions", coordinator, body).expect(201)


def referral(number: int) -> dict[str, Any]:
    """A client like many: wishes, topics, consent to everything."""
    topics = [("grief", "housing"), ("isolation",), ("alcohol", "veteran"), ()][number % 4]
    named = {"given_name": _GIVEN[number % 8], "family_name": f"Measured {uuid4().hex[:6]}"}
    return a_referral(consent=a_consent(), topics=list(topics), client=named)


def notices_delivered(system: Measured) -> int:
    """How many peers have their schedule notice."""
    query = """
        SELECT count(*) AS delivered
          FROM messages
         WHERE session_id IS NOT NULL  -- by an index, however many messages are stored
           AND state = 'delivered' AND kind = 'session-booked' AND recipient_role = 'peer'
    """
    return int(system.rows("notifications", query)[0]["delivered"])
