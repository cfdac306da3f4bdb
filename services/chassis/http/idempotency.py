"""Idempotency-Key: a write sent again is answered as the first time, and done only once.

After the IETF draft (httpapi-idempotency-key-header-07): running still 409, another request 422.
Only answers of committed work are kept; after a problem the same key may be used again.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from services.chassis.http.raw import RawRequest, RawResponse
from services.chassis.http.request import Caller
from services.chassis.problems import REUSED, BadRequest, Conflict, Invalid
from services.chassis.work import Work

HEADER = "idempotency-key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class KeyedRequest:
    """A write with a key: whose, which, and a hash of all that would make it another request."""

    caller: str
    key: str
    request_hash: bytes

    @classmethod
    def of(
        cls, raw: RawRequest, caller: Caller, body: Any, *, key: str | None = None
    ) -> "KeyedRequest | None":
        """None for a write without a key, and for what is no write; a page's form has its own."""
        key = raw.header(HEADER) if key is None else key
        if key is None or raw.method not in WRITES:
            return None
        if not _KEY.fullmatch(key):
            raise BadRequest(
                slug="malformed-idempotency-key",
                detail="Idempotency-Key is 1 to 255 visible ASCII characters.",
            )
        acting = [caller.role, str(caller.person), *sorted(map(str, caller.orgs))]
        request = json.dumps([raw.method, raw.path, raw.query, acting, body], sort_keys=True)
        return cls(caller.subject, key, hashlib.sha256(request.encode()).digest())

    @property
    def lock(self) -> int:
        """The advisory lock of this caller's key."""
        named = hashlib.sha256(f"idempotency\n{self.caller}\n{self.key}".encode()).digest()
        return int.from_bytes(named[:8], signed=True)


def once(work: Work, keyed: KeyedRequest | None, respond: Callable[[], RawResponse]) -> RawResponse:
    """Respond and keep the answer, or give the answer kept before."""
    if keyed is None:
        return respond()
    orgs = list(work.orgs)
    _lock(work, keyed)
    stored = find(work, keyed)
    if stored is not None:
        return stored
    response = respond()
    _store(work, keyed, orgs, response)
    return response


def find(work: Work, keyed: KeyedRequest) -> RawResponse | None:
    """The kept answer; raise Invalid where the key came with another request."""
    query = """
        SELECT request_hash, status, headers, body
          FROM idempotency_keys
         WHERE caller = %s AND key = %s AND stored_at > %s
    """
    kept_since = work.now - KEPT
    row = work.connection.execute(query, (keyed.caller, keyed.key, kept_since)).fetchone()
    if row is None:
        return None
    if bytes(row["request_hash"]) != keyed.request_hash:
        raise _other_request()
    headers = {**row["headers"], REPLAYED: "true"}
    return RawResponse(status=row["status"], headers=headers, body=bytes(row["body"]))


def clear_old(work: Work) -> None:
    """Forget answers that are no longer replayed; for a timer, acting for all organisations."""
    query = "DELETE FROM idempotency_keys WHERE stored_at <= %s"
    work.connection.execute(query, (work.now - KEPT,))


def _lock(work: Work, keyed: KeyedRequest) -> None:
    """Hold the key until the transaction ends, or say that the first request still does."""
    query = "SELECT pg_try_advisory_xact_lock(%s) AS held"
    row = work.connection.execute(query, (keyed.lock,)).fetchone()
    if row is None or not row["held"]:
        raise Conflict(
            "still-running",
            "The first request with this Idempotency-Key is still running",
            headers={"Retry-After": "1"},
        )


def _store(work: Work, keyed: KeyedRequest, orgs: list[UUID], response: RawResponse) -> None:
    forget = "DELETE FROM idempotency_keys WHERE caller = %s AND key = %s AND stored_at <= %s"
    work.connection.execute(forget, (keyed.caller, keyed.key, work.now - KEPT))
    query = """
        INSERT INTO idempotency_keys
               (caller, key, request_hash, org_ids, status, headers, body, stored_at)
        VALUES (%s, %s, %s, %s::uuid[], %s, %s, %s, %s)
            ON CONFLICT (caller, key) DO NOTHING
    """
    identity = (keyed.caller, keyed.key, keyed.request_hash, orgs)
    answer = (response.status, Jsonb(response.headers), response.body, work.now)
    if work.connection.execute(query, (*identity, *answer)).rowcount == 0:
        # The kept answer is of organisations that the caller has lost since, so it stays unseen.
        raise _other_request()


def _other_request() -> Invalid:
    title = "This Idempotency-Key came with another request"
    return Invalid({"Idempotency-Key": [title + "."]}, title, slug=REUSED)
