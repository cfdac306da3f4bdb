"""Peers: add, change, read, list; and whose mail somebody else reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.chassis import cursors
from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import Conflict, Forbidden, Invalid, NotFound
from services.chassis.roles import PEER, SUPERVISOR
from services.chassis.work import Work
from services.matching.events import PeerRegistered, PeerUpdated
from services.matching.handlers.callers import caller_of
from services.matching.repository.peers import AlreadyAPeer, PeerOrganisations, Peers

Row = dict[str, Any]

OPTIONAL: Final[Row] = {
    "email": None,
    "phone": None,
    "story": None,
    "topics": [],
    "topics_for_clients": [],
    "topics_for_supervisors": [],
    "access": [],
    "gender": None,
    "age_band": None,
    "cleared_for_minors": False,
    "state": "active",
}
# What others vouch for; a peer changes everything else about themselves.
VOUCHED_FOR: Final = frozenset({"certified_until", "cleared_for_minors"})
# What nobody but the peer decides: who is shown which of their topics.
SHOWN_TO: Final = frozenset({"topics_for_clients", "topics_for_supervisors"})


def add_peer(request: Request, work: Work) -> Answer:
    body = _added(request.body, caller_of(request), work)
    return Answer(body=body, version=1, location=f"/peers/{body['id']}")


def add_peers(request: Request, work: Work) -> Answer:
    """All of them in one transaction, or none."""
    caller = caller_of(request)
    added = [_added(one, caller, work) for one in request.body["peers"]]
    return Answer(body={"peers": added}, status=201)


def _added(body: Mapping[str, Any], caller: Caller, work: Work) -> Row:
    given = dict(body)
    if SHOWN_TO & given.keys():
        raise _not_for_others()
    organisation_id = _organisation(caller, given.pop("organisation_id", None), work)
    row = _complete({**OPTIONAL, **given})
    row |= {"id": work.new_id(), "peer_organisation_id": organisation_id}
    row["contact_disputed_at"] = None
    try:
        Peers(work.connection).add(row, work.now)
    except AlreadyAPeer:
        raise _already_a_peer() from None
    work.emit(PeerRegistered(**_told(row)), org=organisation_id)
    return peer_view({**row, "places_taken": 0}, caller)


def change_peer(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    peers = Peers(work.connection)
    known = _own(caller, peers.lock(request.path["peer_id"]))
    request.expects(known["version"])
    if caller.role is PEER and VOUCHED_FOR & request.body.keys():
        raise Forbidden("Your organisation keeps certificate and clearance")
    if caller.role is not PEER and SHOWN_TO & request.body.keys():
        raise _not_for_others()
    row = _complete({**known, **_revoked(known, request.body), **request.body})
    if _renews_contact(request.body, row):
        row["contact_disputed_at"] = None
    try:
        peers.change(row, work.now)
    except AlreadyAPeer:
        raise _already_a_peer() from None
    work.emit(PeerUpdated(**_told(row)), org=row["peer_organisation_id"])
    return Answer(body=peer_view(row, caller), version=known["version"] + 1)


def read_peer(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    row = _own(caller, Peers(work.connection).find(request.path["peer_id"]))
    return Answer(body=peer_view(row, caller), version=row["version"])


def list_peers(request: Request, work: Work) -> Answer:
    caller = caller_of(request)
    cursor, limit = request.query["cursor"], request.query["limit"]
    after = cursors.decode(cursor, datetime, UUID) if cursor else None
    rows = Peers(work.connection).page(
        caller.orgs, (after[0], after[1]) if after else None, limit + 1
    )
    page, following = cursors.page_of(rows, limit, lambda row: (row["registered_at"], row["id"]))
    return Answer(body=[peer_view(row, caller) for row in page], next_cursor=following)


def note_disowned_contact(event: Mapping[str, Any], work: Work) -> None:
    """Whoever reads the peer's mail about a session is somebody else; clients are referrals'."""
    if event["person"] == "peer":
        Peers(work.connection).dispute_contact(event["person_id"], work.now)


def peer_view(row: Mapping[str, Any], caller: Caller) -> Row:
    """Which lived experience it is, the peer sees; others how much, and what is shown to them."""
    view = {**row, "organisation_id": row["peer_organisation_id"]}
    view["topics_given"] = len(row["topics"])
    if caller.person == row["id"]:
        return view
    hidden = {"topics", *SHOWN_TO}
    if caller.role is SUPERVISOR:
        hidden.remove("topics_for_supervisors")
    return {name: fact for name, fact in view.items() if name not in hidden}


def _organisation(caller: Caller, named: UUID | None, work: Work) -> UUID:
    """The organisation named, or the caller's only peer organisation."""
    rows = PeerOrganisations(work.connection).page(caller.orgs, None, 2)
    if named is None:
        if len(rows) == 1:
            only: UUID = rows[0]["id"]
            return only
        raise Invalid({"organisation_id": ["Needed: you serve none or several."]})
    if named not in caller.orgs or PeerOrganisations(work.connection).find(named) is None:
        raise NotFound
    return named


def _own(caller: Caller, row: Row | None) -> Row:
    if row is None:
        raise NotFound
    is_own = row["id"] == caller.person
    if not (is_own if caller.role is PEER else row["peer_organisation_id"] in caller.orgs):
        raise NotFound
    return row


def _revoked(known: Row, given: Row) -> Row:
    """A topic that is taken back is shown to nobody any more, without being named again."""
    if "topics" not in given:
        return {}
    kept = set(_folded(given["topics"]))
    return {name: [topic for topic in known[name] if topic in kept] for name in SHOWN_TO}


def _not_for_others() -> Forbidden:
    return Forbidden("Only the peer decides who is shown which of their topics")


def _complete(row: Row) -> Row:
    """Fill in what follows from the rest, and check what no single field can tell."""
    email, phone = row["email"], row["phone"]
    if not email and not phone:
        raise Invalid({"email": ["An e-mail address or a phone number is needed."]})
    channel = row.get("preferred_channel") or ("email" if email else "phone")
    if not {"email": email, "sms": phone, "phone": phone}.get(channel, True):
        raise Invalid({"preferred_channel": ["There is no contact for this channel."]})
    topics = _folded(row["topics"])
    shown = {name: _folded(row[name]) for name in SHOWN_TO}
    strange = [name for name in shown if not set(shown[name]) <= set(topics)]
    if strange:
        raise Invalid({name: ["Not one of the topics."] for name in strange})
    digits = "".join(filter(str.isdigit, phone or ""))
    return {
        **row,
        "preferred_channel": channel,
        "contact_key": f"email:{email.strip().casefold()}" if email else f"phone:{digits}",
        "gender": row["gender"].strip().casefold() if row["gender"] else None,
        "story": (row["story"] or "").strip() or None,
        "topics": topics,
        **shown,
        "access": _folded(row["access"]),
        "modes": list(dict.fromkeys(row["modes"])),
        "languages": list(dict.fromkeys(row["languages"])),
    }


def _renews_contact(given: Row, row: Row) -> bool:
    """The mailbox is named anew, or the peer is rung from now on; the same one is confirmed."""
    return "email" in given or ("phone" in given and row["preferred_channel"] == "phone")


def _folded(codes: list[str]) -> list[str]:
    return sorted({code.strip().casefold() for code in codes})


def _told(row: Row) -> Row:
    return {
        "peer_id": row["id"],
        "peer_organisation_id": row["peer_organisation_id"],
        "time_zone": row["time_zone"],
        "state": row["state"],
    }


def _already_a_peer() -> Conflict:
    return Conflict(
        "already-a-peer",
        "Your organisation has a peer with this e-mail address or phone number",
    )
