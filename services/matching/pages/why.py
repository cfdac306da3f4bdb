"""Whether a peer who is not among those suggested would suit, or what is in the way: for staff.

What the two have in common is left out, and with it the place in the order: asked of peer after
peer, either would tell what each of them has lived through.
"""

from typing import Any, Final
from uuid import UUID

from marshmallow import Schema, fields

from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.matching.handlers.callers import caller_of
from services.matching.handlers.offering import read_shortlist
from services.matching.handlers.shortlisting import stands
from services.matching.pages import wording
from services.matching.pages.links import PAGES
from services.matching.repository.needs import Needs
from services.matching.repository.peers import Peers

SHOWN: Final = 500
_PRIVATE: Final = "topics"


class WhySchema(Schema):
    peer_id = fields.UUID(load_default=None)


def show(request: Request, work: Work) -> Answer:
    words = Words(PAGES, request.language)
    match = read_shortlist(request, work).body
    own = set(caller_of(request).orgs)
    peers = Peers(work.connection).names(own, SHOWN)
    asked: UUID | None = request.query["peer_id"]
    name, standing = None, None
    if asked is not None:
        found = Peers(work.connection).by_ids([asked]).get(asked)
        need = Needs(work.connection).find(match["referral_id"])
        if found is None or found["peer_organisation_id"] not in own or need is None:
            raise NotFound
        name = found["display_name"]
        standing = stands(need, asked, work)
    html = PAGES.visited(
        "why.html",
        request,
        match=match,
        peers=[(str(one["id"]), one["display_name"]) for one in peers],
        chosen={"peer_id": str(asked)} if asked else {},
        name=name,
        standing=standing,
        rules=[words.of(wording.RULE, rule) for rule in standing.broken] if standing else [],
        reasons=_reasons(standing, words) if standing else {},
    )
    return Answer(html=html)


def _reasons(standing: Any, words: Words) -> dict[str, list[str]]:
    told: dict[str, list[str]] = {"for": [], "against": []}
    for part in standing.candidate.parts if standing.candidate else ():
        if part.name == _PRIVATE:
            continue
        for side, reason in (("for", part.speaks_for), ("against", part.speaks_against)):
            if reason:
                told[side].append(words.of(wording.REASON, reason.code).format(**reason.counts))
    return told
