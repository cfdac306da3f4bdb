"""Ranks one peer after the other in plain Python: slow, obvious, and what the index must equal."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from services.chassis.places import kilometres
from services.matching.domain.ranking import (
    Candidate,
    Facts,
    Mode,
    Need,
    Opening,
    Peer,
    Policy,
    Ranking,
    Rule,
    parts,
    plain,
    primary,
    worth,
)


def rank(need: Need, peers: Iterable[Peer], policy: Policy) -> Ranking:
    candidates: list[Candidate] = []
    ruled_out: Counter[str] = Counter()
    openings: Counter[str] = Counter()
    for peer in peers:
        modes = _ways_to_meet(need, peer, policy)
        broken = [rule for rule, is_broken in _BROKEN if is_broken(need, peer, modes)]
        if broken:
            ruled_out[broken[0].value] += 1
            openings.update(one.value for one in _openings(need, peer, broken, policy))
        else:
            candidates.append(_candidate(need, peer, modes, policy))
    candidates.sort(key=lambda one: (-one.points, one.peer_id))
    return Ranking(
        candidates=tuple(candidates[: policy.shortlist_length]),
        suitable=len(candidates),
        ruled_out=dict(ruled_out),
        openings=dict(openings),
    )


def _ways_to_meet(need: Need, peer: Peer, policy: Policy) -> tuple[Mode, ...]:
    return tuple(mode for mode in need.modes if _can_meet(need, peer, mode, policy))


def _can_meet(need: Need, peer: Peer, mode: Mode, policy: Policy) -> bool:
    return mode in peer.modes and (mode != Mode.IN_PERSON or _is_near(need, peer, policy))


def _candidate(need: Need, peer: Peer, modes: tuple[Mode, ...], policy: Policy) -> Candidate:
    facts = Facts(
        topics_shared=len(need.topics & peer.topics),
        modes=modes,
        kilometres=_apart(need, peer),
        gender_wished=peer.gender in need.peer_genders,
        age_band_wished=peer.age_band in need.peer_age_bands,
        access_met=len(need.access_needs & peer.access),
        capacity=peer.capacity,
        free=peer.capacity - peer.places_taken,
    )
    of = parts(need, facts, policy)
    points = sum(worth(part, policy) for part in of)
    return Candidate(peer.id, peer.organisation_id, points, modes, of)


def _openings(need: Need, peer: Peer, broken: list[Rule], policy: Policy) -> list[Opening]:
    if broken == [Rule.CONSENT]:
        return [Opening.ANOTHER_ORGANISATION]
    if broken not in ([Rule.MODE], [Rule.PLACE]):
        return []
    more = [mode for mode in Mode if mode not in need.modes]
    found = [Opening(mode.value) for mode in more if _can_meet(need, peer, mode, policy)]
    return [*found, Opening.FURTHER_AWAY] if broken == [Rule.PLACE] else found


def _apart(need: Need, peer: Peer) -> int | None:
    if need.location is None or peer.location is None:
        return None
    return int(kilometres(need.location, peer.location))


def _is_near(need: Need, peer: Peer, policy: Policy) -> bool:
    apart = _apart(need, peer)
    if apart is not None:
        return apart <= policy.max_kilometres
    return need.area is not None and peer.area is not None and plain(need.area) == plain(peer.area)


def _may_learn(need: Need, peer: Peer) -> bool:
    return need.organisation_ids is None or peer.organisation_id in need.organisation_ids


def _shares_a_mode(need: Need, peer: Peer) -> bool:
    return any(mode in peer.modes for mode in need.modes)


_Asked = Callable[[Need, Peer, tuple[Mode, ...]], bool]

_BROKEN: Final[tuple[tuple[Rule, _Asked], ...]] = (
    (Rule.CONSENT, lambda need, peer, _: not _may_learn(need, peer)),
    (Rule.EXCLUDED, lambda need, peer, _: peer.id in need.unwanted_peer_ids),
    (Rule.PAUSED, lambda _, peer, __: not peer.is_active),
    (Rule.LANGUAGE, lambda need, peer, _: need.spoken.isdisjoint(primary(peer.languages))),
    (Rule.MODE, lambda need, peer, modes: not modes and not _shares_a_mode(need, peer)),
    (Rule.PLACE, lambda need, peer, modes: not modes and _shares_a_mode(need, peer)),
    (Rule.CERTIFICATE, lambda need, peer, _: peer.certified_until < need.on),
    (Rule.MINORS, lambda need, peer, _: need.is_minor and not peer.cleared_for_minors),
    (Rule.CAPACITY, lambda _, peer, __: peer.places_taken >= peer.capacity),
)
