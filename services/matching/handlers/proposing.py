"""A proposal for all who wait together: made, kept with its proof, and checked by adding up.

It is made in a process of its own, which the solver may keep busy; nobody is told anything by it,
and no place is held: a coordinator looks at each pair and makes the offer.
"""

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np

from services.chassis.work import Work
from services.matching import solver
from services.matching.domain.assignment import (
    NOBODY,
    Assignment,
    Certificate,
    Values,
    assign,
    assign_greedily,
    certify,
)
from services.matching.domain.peer_index import PeerIndex
from services.matching.domain.ranking import Mode, Need, Peer, Policy
from services.matching.handlers.known_peers import peer_of
from services.matching.handlers.policies import KnownPolicies
from services.matching.handlers.shortlisting import need_of
from services.matching.repository.peers import PeerOrganisations, Peers
from services.matching.repository.proposals import Proposals

URGENCY: Final = {"routine": 0, "soon": 1, "urgent": 2}
KEPT: Final = timedelta(days=7)

Row = dict[str, Any]
Begin = Callable[[], AbstractContextManager[Work]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Person:
    """Somebody who waits, as the assignment sees them."""

    match_id: UUID
    clinic_id: UUID
    need: Need
    waited_days: int
    urgency: int


@dataclass(frozen=True)
class Input:
    """All that a proposal is made from."""

    policy: Policy
    people: Sequence[Person]
    peers: Sequence[Peer]

    def packed(self) -> bytes:
        return zlib.compress(json.dumps(asdict(self), default=_plain, sort_keys=True).encode())

    @classmethod
    def unpacked(cls, packed: bytes) -> "Input":
        read = json.loads(zlib.decompress(packed))
        people = [
            Person(
                match_id=UUID(one["match_id"]),
                clinic_id=UUID(one["clinic_id"]),
                need=_rebuilt(Need, one["need"]),
                waited_days=one["waited_days"],
                urgency=one["urgency"],
            )
            for one in read["people"]
        ]
        peers = [_rebuilt(Peer, one) for one in read["peers"]]
        return cls(Policy(**read["policy"]), people, peers)

    def index(self) -> PeerIndex:
        index = PeerIndex()
        index.put(self.peers)
        return index

    def scored(self, index: PeerIndex) -> "Scored":
        """All pairs; 0 where a rule is against it."""
        points = np.zeros((len(self.people), len(index)), np.int32)
        values = np.zeros_like(points)
        for row, one in enumerate(self.people):
            found = index.suitable(one.need, self.policy)
            points[row, found.columns] = found.points
            values[row, found.columns] = self.policy.worth(
                found.points,
                waited_days=one.waited_days,
                urgency=one.urgency,
                added=self.policy.added_for(found.options, len(index)),
            )
        return Scored(values, points)


class Scored(NamedTuple):
    """What each pair is worth to all together, and its points, which the two of them see."""

    values: Values
    points: Values


@dataclass(frozen=True)
class Proposal:
    id: UUID
    certificate: Certificate
    people: int
    is_best: bool


def propose(begin: Begin, tell: Tell) -> Proposal:
    """Make a proposal of how things stand, and keep it; `tell` is told how far it has come.

    No transaction is open while it is worked out, however long that takes.
    """
    with begin() as work:
        given = gather(work)
    tell(f"{len(given.people)} people wait, {len(given.peers)} peers are there")
    index = given.index()
    (values, points), places = given.scored(index), index.free_places()
    tell(f"scored {values.size} pairs, {np.count_nonzero(values)} of them may meet")
    is_best = solver.is_there()
    found = assign(values, places, solver.solve) if is_best else assign_greedily(values, places)
    certificate = certify(values, places, found)
    is_best = is_best and certificate.is_proven
    tell(f"{certificate.served} would have somebody, after {found.loops} rounds of the solver")
    packed = given.packed()
    pairs = _pairs(given, index, points, found)
    with begin() as work:
        work.act_for_all()
        proposal_id = work.new_id()
        proposals = Proposals(work.connection)
        proposals.add(
            {
                "id": proposal_id,
                "made_at": work.now,
                "clinic_ids": sorted({one.clinic_id for one in given.people}),
                "policy_version": given.policy.version,
                "is_best": is_best,
                "value": certificate.value,
                "bound": certificate.bound,
                "people": len(given.people),
                "served": certificate.served,
                "input": packed,
                "input_sha256": sha256(packed).digest(),
            },
            pairs,
            zip(index.peer_ids, found.prices.tolist(), strict=True),
        )
        proposals.remove_inputs_of_ended()
    return Proposal(proposal_id, certificate, len(given.people), is_best)


class NotThere(Exception):
    """There is no such proposal, or what it was made from was removed."""


def verify(proposal_id: UUID, work: Work) -> tuple[Certificate, tuple[str, ...]]:
    """Add a kept proposal up from what it was made from; how far it holds, and what does not.

    No solver is asked: rules, points, places and prices are enough.
    """
    work.act_for_all()
    proposals = Proposals(work.connection)
    row = proposals.find(proposal_id)
    if row is None:
        raise NotThere("There is no such proposal; they are kept for a week.")
    if row["input"] is None:
        raise NotThere("Somebody in it is no longer looked for, so what it was made from is gone.")
    packed = bytes(row["input"])
    problems = []
    if sha256(packed).digest() != bytes(row["input_sha256"]):
        problems.append("what it was made from is not what it says")
    given = Input.unpacked(packed)
    index = given.index()
    values, places = given.scored(index).values, index.free_places()
    pairs, prices = proposals.pairs(proposal_id), proposals.prices(proposal_id)
    columns = {peer_id: column for column, peer_id in enumerate(index.peer_ids)}
    if set(pairs) != {one.match_id for one in given.people} or set(prices) != set(columns):
        problems.append("its lines are not those of the people and peers in it")
    chosen = np.full(len(given.people), NOBODY, np.int64)
    for at, one in enumerate(given.people):
        pair = pairs.get(one.match_id)
        if pair and pair["peer_id"]:
            chosen[at] = columns.get(pair["peer_id"], len(columns))
    asked = np.array([prices.get(peer_id, 0) for peer_id in index.peer_ids], np.int64)
    certificate = certify(values, places, Assignment(chosen, asked))
    told = (row["value"], row["bound"], row["served"])
    if told != (certificate.value, certificate.bound, certificate.served):
        problems.append("its sums are not what it says")
    if row["is_best"] and not certificate.is_proven:
        problems.append("it says that it is the best and is not")
    return certificate, (*problems, *certificate.problems)


def forget_old(work: Work) -> None:
    proposals = Proposals(work.connection)
    proposals.remove_inputs_of_ended()
    proposals.forget(work.now - KEPT)


def gather(work: Work) -> Input:
    """Everybody who waits and every peer, as they are now."""
    work.act_for_all()
    areas, _, policy_version = PeerOrganisations(work.connection).areas()
    policy = work.memory(KnownPolicies).of(policy_version, work)
    rows = sorted(Peers(work.connection).changed(0, ()), key=lambda row: row["id"])
    people = [
        Person(
            match_id=row["match_id"],
            clinic_id=row["clinic_id"],
            need=need_of(row, frozenset(row["former_peer_ids"]), work),
            waited_days=max(0, (work.now - row["received_at"]).days),
            urgency=URGENCY.get(row["urgency"], 0),
        )
        for row in Proposals(work.connection).who_waits()
    ]
    return Input(policy, people, [peer_of(row, areas[row["peer_organisation_id"]]) for row in rows])


def _pairs(given: Input, index: PeerIndex, points: Values, found: Assignment) -> Sequence[Row]:
    organisations = {peer.id: peer.organisation_id for peer in given.peers}
    pairs = []
    for at, one in enumerate(given.people):
        column = int(found.chosen[at])
        peer_id = None if column == NOBODY else index.peer_ids[column]
        pairs.append(
            {
                "match_id": one.match_id,
                "clinic_id": one.clinic_id,
                "peer_id": peer_id,
                "peer_organisation_id": organisations[peer_id] if peer_id else None,
                "points": int(points[at, column]) if peer_id else None,
            }
        )
    return pairs


def _plain(value: object) -> object:
    """What JSON has no kind for; sets in order, so that the same input is the same bytes."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "on": date.fromisoformat,
    "certified_until": date.fromisoformat,
    "id": UUID,
    "organisation_id": UUID,
    "languages": tuple,
    "modes": lambda modes: tuple(map(Mode, modes)),
    "location": tuple,
    "topics": frozenset,
    "access": frozenset,
    "access_needs": frozenset,
    "peer_genders": frozenset,
    "peer_age_bands": frozenset,
    "organisation_ids": lambda ids: frozenset(map(UUID, ids)),
    "excluded_peer_ids": lambda ids: frozenset(map(UUID, ids)),
    "former_peer_ids": lambda ids: frozenset(map(UUID, ids)),
}


def _rebuilt(kind: Any, told: Mapping[str, Any]) -> Any:
    names = {field.name for field in fields(kind)}
    return kind(
        **{
            name: value if value is None else _KINDS.get(name, lambda same: same)(value)
            for name, value in told.items()
            if name in names
        }
    )
