"""The peers that a process keeps in memory, kept up with the database by what changed."""

import threading
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from services.chassis.places import locate
from services.chassis.work import Work
from services.matching.domain.peer_index import PeerIndex, Standing
from services.matching.domain.ranking import Mode, Need, Peer, Policy, Ranking
from services.matching.handlers.policies import KnownPolicies
from services.matching.repository.peers import PeerOrganisations, Peers

MODES: Final = {mode.value: mode for mode in Mode}


@dataclass
class KnownPeers:
    """Ranks by all peers as the transaction that asks sees them, its own changes included.

    Read anew is whatever changed in a transaction that had not ended when peers were last read.
    Of what was read from such a one it is not known whether it stays (`_unsure`): it is read once
    more, so that nothing undone remains. Until then another transaction may rank by it; a place
    is taken in the database alone, which knows better.
    """

    _index: PeerIndex = field(default_factory=PeerIndex)
    _horizon: int = 0  # every transaction with a lower number had ended
    _unsure: set[UUID] = field(default_factory=set)
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def rank(self, need: Need, work: Work) -> tuple[Policy, Ranking]:
        """By the policy that counts in the transaction, and which one that is."""
        with self._one_at_a_time:
            policy = self._catch_up(work)
            return policy, self._index.rank(need, policy)

    def stands(self, need: Need, peer_id: UUID, work: Work) -> Standing | None:
        with self._one_at_a_time:
            policy = self._catch_up(work)
            return self._index.stands(need, peer_id, policy)

    def places(self, need: Need, work: Work) -> tuple[int, int]:
        """Free places of all who suit, and how many suit, full or not.

        A need without languages is everybody's: each peer who takes new people suits it.
        """
        with self._one_at_a_time:
            policy = self._catch_up(work)
            if not need.languages:
                spoken = self._index.languages()
                need = replace(need, languages=tuple(sorted(spoken)))
            found = self._index.suitable(need, policy)
            free = self._index.free_places()[found.columns]
            return int(free.sum()), found.options

    def _catch_up(self, work: Work) -> Policy:
        # Both of one moment: of an organisation that comes later no peer can be seen now, and
        # all of them are changed after the horizon.
        areas, horizon, policy_version = PeerOrganisations(work.connection).areas()
        work.act_for(areas)
        if horizon < self._horizon:  # another database answers under the same address
            self._index, self._horizon, self._unsure = PeerIndex(), 0, set()
        rows = Peers(work.connection).changed(self._horizon, self._unsure)
        self._index.remove(self._unsure - {row["id"] for row in rows})
        self._index.put(peer_of(row, areas[row["peer_organisation_id"]]) for row in rows)
        self._index.place(areas)
        self._unsure = {row["id"] for row in rows if row["changed_in"] >= horizon}
        self._horizon = horizon
        return work.memory(KnownPolicies).of(policy_version, work)


def peer_of(row: dict[str, Any], area: str | None) -> Peer:
    return Peer(
        id=row["id"],
        organisation_id=row["peer_organisation_id"],
        languages=tuple(row["languages"]),
        modes=tuple(MODES[mode] for mode in row["modes"]),
        location=locate(row["postal_code"]),
        area=area,
        topics=frozenset(row["topics"]),
        access=frozenset(row["access"]),
        gender=row["gender"],
        age_band=row["age_band"],
        certified_until=row["certified_until"],
        cleared_for_minors=row["cleared_for_minors"],
        is_active=row["state"] == "active" and not row["away"],
        capacity=row["capacity"],
        places_taken=row["places_taken"],
    )
