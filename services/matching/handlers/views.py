"""How matches, shortlists and offers are shown; names only to who may know all proposed peers."""

from datetime import date
from typing import Any
from uuid import UUID

from services.chassis.work import Work
from services.matching.domain.states import OWNERS
from services.matching.repository.matches import Match
from services.matching.repository.offers import Offers
from services.matching.repository.peers import Peers

Row = dict[str, Any]


def match_view(match: Match) -> Row:
    return {
        **vars(match),
        "match_id": match.id,
        "owner": OWNERS[match.state],
        "next_date": match.next_at,
    }


def offer_view(offer: Row, today: date, work: Work, *, for_client: bool) -> Row:
    """With each peer's card; what they lived through is for the person who chooses alone."""
    rows = named(Offers(work.connection).peers(offer["id"]), today, work)
    facts = Peers(work.connection).by_ids(row["peer_id"] for row in rows)
    cards = {id_: _card(facts[id_], for_client=for_client) for id_ in facts}
    peers = [
        {**row, **cards[row["peer_id"]], "is_held": row["peer_id"] == offer["peer_id"]}
        for row in rows
    ]
    for peer in peers:  # the place held for this very client is theirs
        peer["has_place"] = peer["has_place"] or peer["is_held"]
    return {**offer, "offer_id": offer["id"], "peers": peers}


def _card(peer: Row, *, for_client: bool) -> Row:
    shown = {"topics": peer["topics_for_clients"]} if for_client else {}
    return {"languages": peer["languages"], "story": peer["story"], **shown}


def named(rows: list[Row], today: date, work: Work) -> list[Row]:
    """The rows with each peer's display name, and whether a place is free on that day."""
    work.act_for({row["peer_organisation_id"] for row in rows})
    peers = Peers(work.connection).by_ids(row["peer_id"] for row in rows)
    return [
        {
            **row,
            "display_name": peers[row["peer_id"]]["display_name"],
            "has_place": has_place(peers[row["peer_id"]], today),
        }
        for row in rows
    ]


def has_place(peer: Row, today: date) -> bool:
    is_free: bool = peer["places_taken"] < peer["capacity"]
    return is_free and peer["state"] == "active" and peer["certified_until"] >= today


def peers_with_place(rows: list[Row]) -> set[UUID]:
    return {row["peer_id"] for row in rows if row["has_place"]}
