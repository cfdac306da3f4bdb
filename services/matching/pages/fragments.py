"""What the gateway puts into other services' pages: a peer's name, a referral's offers."""

from typing import Any
from uuid import UUID

from markupsafe import escape

from services.chassis.http.request import Answer, Request
from services.chassis.organisations import known
from services.chassis.pages import Words
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.matching.handlers.callers import caller_of
from services.matching.handlers.offering import read_shortlist
from services.matching.pages import wording
from services.matching.pages.links import PAGES
from services.matching.pages.offers import rows_of_offers
from services.matching.repository.offers import Offers
from services.matching.repository.peers import Peers


def name_peer(request: Request, work: Work) -> Answer:
    """How a peer is called, put into other services' pages for staff of the organisation."""
    peer_id: UUID = request.path["peer_id"]
    peer = Peers(work.connection).by_ids([peer_id]).get(peer_id)
    if peer is None or peer["peer_organisation_id"] not in caller_of(request).orgs:
        raise NotFound
    return Answer(html=str(escape(peer["display_name"])))


def list_offers(request: Request, work: Work) -> Answer:
    """Who was offered and what was answered, the latest first; for staff who see the search."""
    words = Words(PAGES, request.language)
    match = read_shortlist(request, work).body
    clinic = known(work, {match["clinic_id"]}).get(match["clinic_id"])
    zone = clinic["time_zone"] if clinic else "UTC"
    rows = rows_of_offers(match["referral_id"], zone, words, work)
    html = PAGES.render("offers.html", language=request.language, zone=zone, rows=rows)
    return Answer(html=html)


def show_cards(request: Request, work: Work) -> Answer:
    """The peers whom the person may choose from now, as somebody would tell them."""
    words = Words(PAGES, request.language)
    match = read_shortlist(request, work).body
    offer = Offers(work.connection).find(match["offer_id"]) if match["offer_id"] else None
    is_open = offer is not None and offer["state"] == "open"
    clinic = known(work, {match["clinic_id"]}).get(match["clinic_id"])
    zone = clinic["time_zone"] if clinic else "UTC"
    cards: list[dict[str, Any]] = []
    if offer is not None and is_open:
        offered = Offers(work.connection).peers(offer["id"])
        work.act_for({row["peer_organisation_id"] for row in offered})
        peers = Peers(work.connection).by_ids(row["peer_id"] for row in offered)
        cards = [
            {
                "display_name": peers[row["peer_id"]]["display_name"],
                "story": peers[row["peer_id"]]["story"],
                "languages": words.languages(peers[row["peer_id"]]["languages"]),
                "ways": words.all(wording.MODE, row["modes"]),
            }
            for row in offered
        ]
    html = PAGES.render(
        "cards.html",
        language=request.language,
        cards=cards,
        answer_by=words.moment(offer["answer_by"], zone) if offer else None,
        zone=zone,
    )
    return Answer(html=html)
