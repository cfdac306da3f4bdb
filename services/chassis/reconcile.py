"""Have lost events sent again: what a consumer lacks is asked of its producer.

Two ways find it. A gap in an aggregate's numbers shows as soon as a later event has come. A sweep
compares all that a producer has sent with all that the inbox has, and so finds also a lost last
event, after which none came.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from services.chassis import deferred, outbox
from services.chassis.database import Connection
from services.chassis.errors import OwnerAway
from services.chassis.http.request import Answer, Request
from services.chassis.internal import Directory, OwnerRefused
from services.chassis.log import get_log
from services.chassis.service import ANY_SERVICE, Consumed, internal
from services.chassis.work import Work, Workplace

log = get_log(__name__)

PURPOSE = "reconcile"
# How many events are compared by one question.
_PAGE = 1000
_PAGE_SECONDS = 10.0
# Time for an event that was only slow; a broker or relay at work is not a loss.
PATIENCE = timedelta(seconds=20)


class MissingSchema(Schema):
    aggregate_id = fields.UUID(required=True)
    first = fields.Integer(required=True)
    last = fields.Integer(required=True)


class SentAgainSchema(Schema):
    sent_again = fields.Integer(required=True)


def send_again(request: Request, work: Work) -> Answer:
    """Answer a consumer that found a gap: put the missing events back into the outbox."""
    missing = request.body
    count = outbox.send_again(
        work.connection, missing["aggregate_id"], missing["first"], missing["last"]
    )
    log.info("events_sent_again", aggregate_id=missing["aggregate_id"], count=count)
    return Answer({"sent_again": count})


SEND_AGAIN = internal(
    "POST",
    "/events/again",
    callers={ANY_SERVICE: {PURPOSE}},
    body=MissingSchema,
    answer=SentAgainSchema,
    handler=send_again,
)


class WhatWasSentSchema(Schema):
    aggregates = fields.List(fields.String(), required=True)
    since = fields.AwareDateTime(load_default=None, allow_none=True)
    after = fields.UUID(load_default=None, allow_none=True)


class SentEventSchema(Schema):
    event_id = fields.UUID(required=True)
    type = fields.String(required=True)
    aggregate_id = fields.UUID(required=True)
    epoch = fields.Integer(required=True)
    sequence = fields.Integer(required=True)
    sent_at = fields.AwareDateTime(required=True)


class SentEventsSchema(Schema):
    events = fields.List(fields.Nested(SentEventSchema), required=True)


class TheseSchema(Schema):
    event_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=_PAGE))


def tell_sent(request: Request, work: Work) -> Answer:
    """Answer a consumer that compares: a page of identifiers, a short one is the last."""
    asked = request.body
    found = outbox.sent(
        work.connection,
        asked["aggregates"],
        since=asked["since"],
        after=asked["after"],
        limit=_PAGE,
    )
    return Answer({"events": found})


def send_these_again(request: Request, work: Work) -> Answer:
    count = outbox.send_these_again(work.connection, request.body["event_ids"])
    log.info("events_sent_again", count=count)
    return Answer({"sent_again": count})


TELL_SENT = internal(
    "POST",
    "/events/sent",
    callers={ANY_SERVICE: {PURPOSE}},
    body=WhatWasSentSchema,
    answer=SentEventsSchema,
    handler=tell_sent,
)
SEND_THESE_AGAIN = internal(
    "POST",
    "/events/these-again",
    callers={ANY_SERVICE: {PURPOSE}},
    body=TheseSchema,
    answer=SentAgainSchema,
    handler=send_these_again,
)
ROUTES = (SEND_AGAIN, TELL_SENT, SEND_THESE_AGAIN)


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """An event that its producer has sent and a queue's inbox does not have."""

    queue: str
    producer: str
    event_id: UUID
    type: str
    aggregate_id: UUID
    epoch: int
    sequence: int
    sent_at: datetime


def sweep(
    workplace: Workplace,
    directory: Directory,
    queue: str,
    consumed: Sequence[Consumed],
    since: datetime | None = None,
) -> list[Lacking]:
    """What the queue's inbox lacks of all that its producers have sent; raises when one is away.

    What is still on its way is among it; `overtaken` tells it from what is lost.
    """
    found = []
    for producer in sorted({one.source for one in consumed}):
        aggregates = sorted({one.aggregate for one in consumed if one.source == producer})
        for page in _sent_by(directory, producer, aggregates, since):
            with workplace.begin() as work:
                unheard = lacking(work.connection, queue, [event["event_id"] for event in page])
            found += [
                Lacking(queue=queue, producer=producer, **event)
                for event in page
                if event["event_id"] in unheard
            ]
    return found


def lacking(connection: Connection, queue: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Which of the events never reached the queue's inbox."""
    query = """
        SELECT event_id FROM unnest(%s::uuid[]) AS asked (event_id)
         WHERE NOT EXISTS (SELECT FROM inbox
                            WHERE inbox.consumer = %s AND inbox.event_id = asked.event_id)
    """
    rows = connection.execute(query, (list(event_ids), queue))
    return {row["event_id"] for row in rows}


def ask_again(directory: Directory, wanted: Sequence[Lacking]) -> int:
    """Have them sent again; raises when a producer is away."""
    count = 0
    for producer in sorted({one.producer for one in wanted}):
        ids = [str(one.event_id) for one in wanted if one.producer == producer]
        for first in range(0, len(ids), _PAGE):
            body = {"event_ids": ids[first : first + _PAGE]}
            path = "/internal/events/these-again"
            answer = directory.ask(producer, path, purpose=PURPOSE, orgs=(), body=body)
            count += int(answer["sent_again"])
    return count


def _sent_by(
    directory: Directory, producer: str, aggregates: Sequence[str], since: datetime | None
) -> Iterator[list[dict[str, Any]]]:
    after: UUID | None = None
    while True:
        body = {"aggregates": aggregates, "since": since, "after": after}
        answer = directory.ask(
            producer,
            "/internal/events/sent",
            purpose=PURPOSE,
            orgs=(),
            body=body,
            timeout_seconds=_PAGE_SECONDS,
        )
        page: list[dict[str, Any]] = SentEventsSchema().load(answer)["events"]
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1]["event_id"]


def heal(
    workplace: Workplace,
    directory: Directory,
    queues: Sequence[str],
    *,
    patience: timedelta = PATIENCE,
    limit: int | None = 200,
) -> list[dict[str, Any]]:
    """Ask for everything that lacks; return each gap with how many events were sent again.

    A gap whose producer is away has `sent_again` None and is asked for the next time.
    """
    with workplace.begin() as work:
        asked = (work.connection, queues, work.now - patience)
        found = [*deferred.gaps(*asked, limit), *deferred.other_versions(*asked)]
    return [{**gap, "sent_again": _ask(directory, gap)} for gap in found]


def _ask(directory: Directory, gap: dict[str, Any]) -> int | None:
    producer = gap["headers"]["headers"]["cloudEvents:source"].split("/")[1]
    body = {
        "aggregate_id": str(gap["aggregate_id"]),
        "first": gap["first"],
        "last": gap["last"],
    }
    try:
        answer = directory.ask(
            producer, "/internal/events/again", purpose=PURPOSE, orgs=(), body=body
        )
    except OwnerAway:
        return None
    except OwnerRefused as refusal:
        # One gap that cannot be asked for must not hold up all the others.
        log.error("gap_not_answered", error=refusal, aggregate_id=gap["aggregate_id"])
        return None
    return int(answer["sent_again"])
