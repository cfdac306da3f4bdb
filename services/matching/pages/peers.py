"""The peers of an organisation: who takes new people, and how many each of them meets."""

from typing import Any
from uuid import UUID

from markupsafe import escape

from services.chassis.http.request import Answer, Request
from services.chassis.organisations import known
from services.chassis.pages import Words
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.matching.handlers.callers import caller_of
from services.matching.handlers.peers import list_peers
from services.matching.pages import wording
from services.matching.pages.links import PAGES
from services.matching.repository.peers import Peers


def show(request: Request, work: Work) -> Answer:
    words = Words(PAGES, request.language)
    listed = list_peers(request, work)
    organisations = known(work, {row["organisation_id"] for row in listed.body})
    html = PAGES.visited(
        "peers.html",
        request,
        words=words,
        rows=[_row(row, organisations, words, work) for row in listed.body],
        following=listed.next_cursor,
    )
    return Answer(html=html)


def name_peer(request: Request, work: Work) -> Answer:
    """How a peer is called, put into other services' pages for staff of the organisation."""
    peer_id: UUID = request.path["peer_id"]
    peer = Peers(work.connection).by_ids([peer_id]).get(peer_id)
    if peer is None or peer["peer_organisation_id"] not in caller_of(request).orgs:
        raise NotFound
    return Answer(html=str(escape(peer["display_name"])))


def _row(row: Any, organisations: Any, words: Words, work: Work) -> dict[str, Any]:
    organisation = organisations.get(row["organisation_id"])
    takes_new = row["state"] == "active" and row["places_taken"] < row["capacity"]
    return {
        "name": row["display_name"],
        "organisation": organisation["name"] if organisation else "",
        "languages": ", ".join(row["languages"]),
        "ways": words.all(wording.MODE, row["modes"]),
        "taken": row["places_taken"],
        "capacity": row["capacity"],
        "takes_new": takes_new and row["certified_until"] >= work.now.date(),
        "certified_until": words.day(row["certified_until"]),
        "is_certified": row["certified_until"] >= work.now.date(),
    }
