"""Links that work without an account: minted for one purpose and person, closed when used.

The secret is a MAC of the row's id under the service's link key, so a repeated mail carries the
same link although the table holds no secret, only its hash.
"""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.database import Connection
from services.chassis.help_lines import Help, help_of
from services.chassis.http.reading import LANGUAGES
from services.chassis.problems import Gone, NotFound
from services.chassis.work import Work

_SECRET = re.compile(r"[a-z]-[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Link:
    """An open link, and what it is good for."""

    id: UUID
    purpose: str
    subject_id: UUID
    person_id: UUID
    org_ids: tuple[UUID, ...]
    expires_at: datetime
    language: str
    help: Help | None


def path_of(secret: str) -> str:
    """The link's path, as a message carries it after the public address."""
    return f"/l/{secret}"


def mint(
    work: Work,
    *,
    purpose: str,
    subject_id: UUID,
    person_id: UUID,
    orgs: Iterable[UUID],
    expires_at: datetime,
    language: str,
) -> str:
    """The secret of the person's open link for this, made where there is none.

    A link that is open already keeps its secret and takes the new expiry and language.
    """
    links = _Links(work.connection)
    wanted = {"purpose": purpose, "subject_id": subject_id, "person_id": person_id}
    latest = {"expires_at": expires_at, "language": _spoken(language)}
    links.close_what_expired(work.now, wanted)
    secret = _extend(work, links, wanted, latest)
    while secret is None:
        link_id = work.new_id()
        secret = _secret(work, link_id)
        row = wanted | {"id": link_id, "secret_hash": _hash(secret), "org_ids": sorted(orgs)}
        if not links.add(row | latest | {"made_at": work.now}):
            secret = _extend(work, links, wanted, latest)
    return secret


def open_link(work: Work, secret: str) -> Link:
    """The link, its transaction now acting for its organisations.

    Raises NotFound for an unknown secret, Gone for a link used, expired or disowned.
    """
    if not _SECRET.fullmatch(secret):
        raise NotFound
    row = _Links(work.connection).find(_hash(secret))
    if row is None:
        raise NotFound
    if row["closed_at"] is not None or row["expires_at"] <= work.now:
        raise Gone
    work.act_for(row["org_ids"])
    return Link(
        id=row["id"],
        purpose=row["purpose"],
        subject_id=row["subject_id"],
        person_id=row["person_id"],
        org_ids=tuple(row["org_ids"]),
        expires_at=row["expires_at"],
        language=row["language"],
        help=help_of(work, row["org_ids"]),
    )


def use(work: Work, link: Link) -> None:
    """Close the link; of several that use it at once, one succeeds and the others see Gone."""
    if not _Links(work.connection).close(link.id, work.now, "used"):
        raise Gone


def disown(work: Work, link: Link) -> None:
    """ "This is not me": close it and every open link to the same person about the same thing.

    As with `use`, one of several at once succeeds, so that whoever is told is told once.
    """
    links = _Links(work.connection)
    if not links.close_all(link.subject_id, link.person_id, work.now, "disowned"):
        raise Gone


def disown_all(work: Work, person_id: UUID) -> None:
    """Close every open link to a person whose mail somebody else reads."""
    _Links(work.connection).close_of_person(person_id, work.now, "disowned")


def close_all(work: Work, *, subject_id: UUID, person_id: UUID) -> None:
    """Close what the person was sent about this, for another way of answering replaced it."""
    _Links(work.connection).close_all(subject_id, person_id, work.now, "replaced")


def _extend(
    work: Work, links: "_Links", wanted: Mapping[str, Any], latest: Mapping[str, Any]
) -> str | None:
    """The secret of the open link, brought up to date, or None where there is none.

    After a change of the link key a secret cannot be told again, so its link is replaced.
    """
    row = links.extend(wanted, latest)
    if row is None:
        return None
    secret = _secret(work, row["id"])
    if _hash(secret) == bytes(row["secret_hash"]):
        return secret
    links.close(row["id"], work.now, "replaced")
    return None


def _spoken(language: str) -> str:
    """The language, if there are pages in it."""
    return language if language in LANGUAGES else LANGUAGES[0]


def _secret(work: Work, link_id: UUID) -> str:
    """Begins with the service's letter, by which the gateway sends it to the right service."""
    mac = hmac.digest(work.settings.link_key.encode(), link_id.bytes, "sha256")
    service = work.connection.info.user  # the database role bears the service's name
    return f"{service[0]}-{urlsafe_b64encode(mac).decode().rstrip('=')}"


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True)
class _Links:
    connection: Connection

    def add(self, row: Mapping[str, Any]) -> bool:
        query = """
            INSERT INTO links (id, secret_hash, purpose, subject_id, person_id, org_ids,
                               made_at, expires_at, language)
            VALUES (%(id)s, %(secret_hash)s, %(purpose)s, %(subject_id)s, %(person_id)s,
                    %(org_ids)s, %(made_at)s, %(expires_at)s, %(language)s)
                ON CONFLICT (subject_id, person_id, purpose) WHERE closed_at IS NULL DO NOTHING
        """
        return self.connection.execute(query, row).rowcount == 1

    def extend(self, wanted: Mapping[str, Any], latest: Mapping[str, Any]) -> dict[str, Any] | None:
        query = """
            UPDATE links SET expires_at = %(expires_at)s, language = %(language)s
             WHERE subject_id = %(subject_id)s AND person_id = %(person_id)s
               AND purpose = %(purpose)s AND closed_at IS NULL
            RETURNING id, secret_hash
        """
        return self.connection.execute(query, {**wanted, **latest}).fetchone()

    def find(self, secret_hash: bytes) -> dict[str, Any] | None:
        """Shows the hash to the row's policy for the rest of the transaction."""
        self.connection.execute("SELECT set_config('kindred.link', %s, true)", (secret_hash.hex(),))
        query = """
            SELECT id, purpose, subject_id, person_id, org_ids, expires_at, closed_at, language
              FROM links
             WHERE secret_hash = %s
        """
        return self.connection.execute(query, (secret_hash,)).fetchone()

    def close(self, link_id: UUID, now: datetime, because: str) -> bool:
        query = """
            UPDATE links SET closed_at = %s, closed_because = %s
             WHERE id = %s AND closed_at IS NULL
        """
        return self.connection.execute(query, (now, because, link_id)).rowcount == 1

    def close_all(self, subject_id: UUID, person_id: UUID, now: datetime, because: str) -> int:
        query = """
            UPDATE links SET closed_at = %s, closed_because = %s
             WHERE subject_id = %s AND person_id = %s AND closed_at IS NULL
        """
        return self.connection.execute(query, (now, because, subject_id, person_id)).rowcount

    def close_of_person(self, person_id: UUID, now: datetime, because: str) -> None:
        query = """
            UPDATE links SET closed_at = %s, closed_because = %s
             WHERE person_id = %s AND closed_at IS NULL
        """
        self.connection.execute(query, (now, because, person_id))

    def close_what_expired(self, now: datetime, wanted: Mapping[str, Any]) -> None:
        query = """
            UPDATE links SET closed_at = %(now)s, closed_because = 'expired'
             WHERE subject_id = %(subject_id)s AND person_id = %(person_id)s
               AND purpose = %(purpose)s AND closed_at IS NULL AND expires_at <= %(now)s
        """
        self.connection.execute(query, {**wanted, "now": now})
