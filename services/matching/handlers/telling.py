"""What other services are told: only the ids they name, and only what their purpose needs."""

from itertools import groupby
from typing import Any
from uuid import UUID

from services.chassis.http.request import Answer, Request
from services.chassis.work import Work
from services.matching.domain.states import ASKED
from services.matching.handlers.callers import caller_of
from services.matching.repository.matches import Match, Matches
from services.matching.repository.peers import Peers

Row = dict[str, Any]

STATE_FACTS = ("peer_id", "peer_organisation_id", "time_zone", "state")
CONTACT_FACTS = ("name", "email", "phone", "preferred_channel", "language", "time_zone")


def tell_peers(request: Request, work: Work) -> Answer:
    rows = Peers(work.connection).by_ids(request.body["ids"]).values()
    return Answer(body={"peers": [{**row, "peer_id": row["id"]} for row in rows]})


def tell_contacts(request: Request, work: Work) -> Answer:
    rows = list(Peers(work.connection).by_ids(request.body["ids"]).values())
    _record(request, rows, work)
    contacts = [
        {
            **row,
            "peer_id": row["id"],
            "name": row["display_name"],
            "language": row["languages"][0],
            **_reachable(row),
        }
        for row in rows
    ]
    return Answer(body={"peers": contacts})


def _reachable(row: Row) -> Row:
    """A mailbox that somebody else reads is left out; the telephone stays for staff."""
    if row["contact_disputed_at"] is None:
        return {"reason": None}
    return {"email": None, "reason": "contact-disputed"}


def tell_matches(request: Request, work: Work) -> Answer:
    matches = Matches(work.connection).by_ids(request.body["ids"])
    return Answer(body={"matches": [_match_told(match) for match in matches]})


def _match_told(match: Match) -> Row:
    is_asked = match.state in ASKED
    return {
        **vars(match),
        "match_id": match.id,
        "answer_by": match.next_at if is_asked else None,
    }


def _record(request: Request, rows: list[Row], work: Work) -> None:
    def organisation(row: Row) -> UUID:
        org: UUID = row["peer_organisation_id"]
        return org

    for org, group in groupby(sorted(rows, key=organisation), key=organisation):
        work.disclose(
            recipient=caller_of(request).subject,
            purpose=request.purpose or "",
            org=org,
            subject_ids=[row["id"] for row in group],
            fields=CONTACT_FACTS,
        )
