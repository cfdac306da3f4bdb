"""Have lost events sent again: a gap in an aggregate's numbers is asked of its producer."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from marshmallow import Schema, fields

from services.chassis import deferred, outbox
from services.chassis.errors import OwnerAway
from services.chassis.http.request import Answer, Request
from services.chassis.internal import Directory, OwnerRefused
from services.chassis.log import get_log
from services.chassis.service import ANY_SERVICE, internal
from services.chassis.work import Work, Workplace

log = get_log(__name__)

PURPOSE = "reconcile"
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


def heal(
    workplace: Workplace,
    directory: Directory,
    queues: Sequence[str],
    *,
    patience: timedelta = PATIENCE,
) -> list[dict[str, Any]]:
    """Ask for everything that lacks; return each gap with how many events were sent again.

    A gap whose producer is away has `sent_again` None and is asked for the next time.
    """
    with workplace.begin() as work:
        asked = (work.connection, queues, work.now - patience)
        found = [*deferred.gaps(*asked), *deferred.other_versions(*asked)]
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


class ReconcileLoop:
    """Looks for gaps now and then, so that a lost event needs nobody to notice it."""

    name = "reconcile"

    def __init__(self, workplace: Workplace, directory: Directory, queues: Sequence[str]) -> None:
        self.workplace = workplace
        self.directory = directory
        self.queues = queues

    def run(self, stopping: Callable[[], bool], wait: Callable[[float], object]) -> None:
        while not stopping():
            heal(self.workplace, self.directory, self.queues)
            wait(15)
