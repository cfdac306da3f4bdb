"""Events on the wire: CloudEvents 1.0 attributes in the AMQP headers, a JSON body."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, ClassVar, Protocol
from uuid import UUID

from services.chassis.errors import UnreadableEvent

CONTENT_TYPE = "application/json"
_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_BODY_BYTES = 64 * 1024


class Event(Protocol):
    """What a service publishes: a dataclass that knows its type and which field is its subject."""

    type: ClassVar[str]
    subject: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class Received:
    """One delivered event; `data` is its body, not yet read by a schema."""

    id: UUID
    type: str
    source: str
    epoch: int
    subject: UUID
    sequence: int
    time: datetime
    org: UUID | None
    clinicorg: UUID | None
    traceparent: str | None
    data: Mapping[str, Any]
    versions: tuple[str, ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        """Every type in which this event goes out, under one id and number."""
        name = versionless(self.type)
        return tuple(f"{name}.{version}" for version in self.versions) or (self.type,)

    @property
    def orgs(self) -> tuple[UUID, ...]:
        return tuple({org for org in (self.org, self.clinicorg) if org is not None})


def versionless(type_: str) -> str:
    """`referral.submitted` of `referral.submitted.v2`."""
    return type_.rpartition(".")[0]


def version_of(type_: str) -> str:
    return type_.rpartition(".")[2]


@dataclass(frozen=True)
class Heard:
    """An event as a handler of whole runs is given it: its data as the schema reads it."""

    event: Received
    data: Any
    answer: Any = None


def source_of(service: str, epoch: int) -> str:
    return f"/{service}/epochs/{epoch}"


def headers_of(service: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The AMQP headers of an outbox row."""
    headers = {
        "cloudEvents:specversion": "1.0",
        "cloudEvents:id": str(row["event_id"]),
        "cloudEvents:source": source_of(service, row["epoch"]),
        "cloudEvents:type": row["type"],
        "cloudEvents:time": row["occurred_at"].astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "cloudEvents:subject": str(row["aggregate_id"]),
        "cloudEvents:sequence": str(row["sequence"]),
    }
    if row["org_id"] is not None:
        headers["cloudEvents:org"] = str(row["org_id"])
    if row["clinic_org_id"] is not None:
        headers["cloudEvents:clinicorg"] = str(row["clinic_org_id"])
    if row["traceparent"] is not None:
        headers["cloudEvents:traceparent"] = row["traceparent"]
    if row["versions"] is not None:
        headers["cloudEvents:versions"] = row["versions"]
    return headers


def is_storable(text: str) -> bool:
    """PostgreSQL's text holds neither NUL nor half a surrogate pair."""
    return "\0" not in text and (text.isascii() or not _SURROGATE.search(text))


def read(headers: Mapping[str, Any], content_type: str | None, body: bytes) -> Received:
    """Read a delivery; raise UnreadableEvent listing every attribute that is wrong."""
    return read_plain(headers, content_type, body) or read_any(headers, content_type, body)


def read_plain(
    headers: Mapping[str, Any], content_type: str | None, body: bytes
) -> Received | None:
    """What `read_any` would return, in less time; None if that has to be asked."""
    if content_type != CONTENT_TYPE or len(body) > MAX_BODY_BYTES:
        return None
    try:
        version, *texts = _required(headers)
        id_, type_, source, subject, sequence, time = texts
        org, clinicorg, traceparent, versions = optional = [*map(headers.get, _OPTIONAL)]
        texts += [text for text in optional if text is not None]
        if version != "1.0" or not _is_plain(texts):
            return None
        _, named, last = source.rpartition("/epochs/")
        epoch, number = _number(last, 9), _number(sequence, 18)
        at, data = datetime.fromisoformat(time), json.loads(body)
        if not (named and number and at.tzinfo and isinstance(data, dict)):
            return None
        return Received(
            id=UUID(id_),
            type=type_,
            source=source,
            epoch=epoch,
            subject=UUID(subject),
            sequence=number,
            time=at.astimezone(UTC),
            org=org and _organisation(org),
            clinicorg=clinicorg and _organisation(clinicorg),
            traceparent=traceparent,
            data=data,
            versions=tuple(versions.split(",")) if versions else (),
        )
    except (LookupError, TypeError, ValueError, OverflowError, RecursionError):
        return None


_required = itemgetter(
    *(
        f"cloudEvents:{name}"
        for name in ("specversion", "id", "type", "source", "subject", "sequence", "time")
    )
)
_OPTIONAL = [f"cloudEvents:{name}" for name in ("org", "clinicorg", "traceparent", "versions")]
# The same few come again and again.
_organisation = lru_cache(maxsize=256)(UUID)


def _is_plain(texts: Sequence[str]) -> bool:
    """Whether none is empty and all are ASCII without NUL; a TypeError if one is no text."""
    joined = "".join(texts)
    return all(texts) and joined.isascii() and "\0" not in joined


def _number(text: str, digits: int) -> int:
    if not text.isdigit() or len(text) > digits:
        raise ValueError("not a number")
    return int(text)


def read_any(headers: Mapping[str, Any], content_type: str | None, body: bytes) -> Received:
    """As `read`, attribute by attribute."""
    reader = _Reader(headers)
    received = Received(
        id=reader.uuid("id"),
        type=reader.text("type"),
        source=reader.text("source"),
        epoch=reader.epoch(),
        subject=reader.uuid("subject"),
        sequence=reader.positive("sequence"),
        time=reader.time(),
        org=reader.optional_uuid("org"),
        clinicorg=reader.optional_uuid("clinicorg"),
        traceparent=reader.optional_text("traceparent"),
        data=reader.data(content_type, body),
        versions=reader.versions(),
    )
    if reader.problems:
        raise UnreadableEvent("; ".join(reader.problems))
    return received


_NO_UUID = UUID(int=0)


class _Reader:
    """Collects what is wrong instead of stopping at the first; never repeats a value."""

    def __init__(self, headers: Mapping[str, Any]) -> None:
        self.headers = headers
        self.problems: list[str] = []
        if headers.get("cloudEvents:specversion") != "1.0":
            self.problems.append("cloudEvents:specversion is not 1.0")

    def optional_text(self, name: str) -> str | None:
        value = self.headers.get(f"cloudEvents:{name}")
        if value is None or (isinstance(value, str) and value and is_storable(value)):
            return value
        self.problems.append(f"cloudEvents:{name} is not text")
        return None

    def text(self, name: str) -> str:
        if self.headers.get(f"cloudEvents:{name}") is None:
            self.problems.append(f"cloudEvents:{name} is missing")
        return self.optional_text(name) or ""

    def optional_uuid(self, name: str) -> UUID | None:
        text = self.optional_text(name)
        if text is None:
            return None
        try:
            return UUID(text)
        except ValueError:
            self.problems.append(f"cloudEvents:{name} is not a UUID")
            return None

    def uuid(self, name: str) -> UUID:
        if self.headers.get(f"cloudEvents:{name}") is None:
            self.problems.append(f"cloudEvents:{name} is missing")
        return self.optional_uuid(name) or _NO_UUID

    def positive(self, name: str) -> int:
        text = self.text(name)
        if text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) < 2**63:
            return int(text)
        self.problems.append(f"cloudEvents:{name} is not a positive number")
        return 0

    def versions(self) -> tuple[str, ...]:
        text = self.optional_text("versions")
        return tuple(text.split(",")) if text else ()

    def epoch(self) -> int:
        _, named, last = self.text("source").rpartition("/epochs/")
        if named and last.isascii() and last.isdigit() and len(last) < 10:
            return int(last)
        self.problems.append("cloudEvents:source names no epoch")
        return 0

    def time(self) -> datetime:
        try:
            time = datetime.fromisoformat(self.text("time"))
            return time.astimezone(UTC) if time.tzinfo else _no_zone()
        except (ValueError, OverflowError):
            self.problems.append("cloudEvents:time is not an RFC 3339 time")
            return datetime.min.replace(tzinfo=UTC)

    def data(self, content_type: str | None, body: bytes) -> dict[str, Any]:
        if content_type != CONTENT_TYPE:
            self.problems.append(f"the content type is not {CONTENT_TYPE}")
        elif len(body) > MAX_BODY_BYTES:
            self.problems.append(f"the body is larger than {MAX_BODY_BYTES} bytes")
        else:
            try:
                data = json.loads(body)
            except (ValueError, RecursionError):
                self.problems.append("the body is not JSON")
            else:
                if isinstance(data, dict):
                    return data
                self.problems.append("the body is not a JSON object")
        return {}


def _no_zone() -> datetime:
    raise ValueError("a time without a zone")
