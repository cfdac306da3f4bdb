"""From what a referral needs and all peers to the shortlist that is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.places import locate
from services.chassis.work import Work
from services.matching.domain import ranking
from services.matching.domain.peer_index import Standing
from services.matching.domain.ranking import Mode, Reason
from services.matching.domain.states import Step
from services.matching.handlers.known_peers import KnownPeers
from services.matching.repository.matches import Match, Shortlists
from services.matching.repository.needs import FormerPeers

Row = dict[str, Any]


@dataclass(frozen=True)
class Shortlist:
    """A ranking's outcome, as it is stored."""

    rows: list[Row]
    ruled_out: dict[str, int]
    openings: dict[str, int]
    policy_version: int

    @property
    def step(self) -> Step:
        return Step.SHORTLIST if self.rows else Step.FIND_NO_ONE


def rank_peers(need: Row, work: Work) -> Shortlist:
    former = FormerPeers(work.connection).of(need["referral_id"])
    policy, result = work.memory(KnownPeers).rank(need_of(need, former, work), work)
    shortlisted = [
        {
            "position": position,
            "peer_id": one.peer_id,
            "peer_organisation_id": one.organisation_id,
            "points": one.points,
            "modes": [str(mode) for mode in one.modes],
            "reasons_for": _told(one.reasons_for),
            "reasons_against": _told(one.reasons_against),
        }
        for position, one in enumerate(result.candidates, start=1)
    ]
    return Shortlist(
        rows=shortlisted,
        ruled_out=dict(result.ruled_out),
        openings=dict(result.openings),
        policy_version=policy.version,
    )


def stands(need: Row, peer_id: UUID, work: Work) -> Standing | None:
    """Whether a peer suits somebody who waits, or every rule that is in the way."""
    former = FormerPeers(work.connection).of(need["referral_id"])
    known = work.memory(KnownPeers)
    return known.stands(need_of(need, former, work), peer_id, work)


def _told(reasons: Iterable[Reason]) -> list[Row]:
    return [{"code": reason.code, "counts": dict(reason.counts)} for reason in reasons]


def need_of(need: Row, former: frozenset[UUID], work: Work) -> ranking.Need:
    return ranking.Need(
        on=today_of(need, work),
        languages=tuple(need["languages"]),
        modes=tuple(Mode(mode) for mode in need["modes"]),
        location=locate(need["postal_code"]) if need["postal_code"] else None,
        area=need["area"],
        is_minor=need["is_minor"],
        topics=frozenset(need["topics"]),
        access_needs=frozenset(need["access_needs"]),
        peer_genders=frozenset(need["peer_genders"]),
        peer_age_bands=frozenset(need["peer_age_bands"]),
        excluded_peer_ids=frozenset(need["excluded_peer_ids"]),
        organisation_ids=_named(need["peer_organisation_ids"]),
        former_peer_ids=former,
    )


def _named(organisation_ids: list[UUID] | None) -> frozenset[UUID] | None:
    return None if organisation_ids is None else frozenset(organisation_ids)


def store_shortlist(match: Match, shortlist: Shortlist, work: Work) -> None:
    shortlists = Shortlists(work.connection)
    shortlists.clear(match.id)
    shortlists.add(match, shortlist.rows)


def today_of(need: Row, work: Work) -> date:
    """The client's day: certificates must be valid on it."""
    return work.now.astimezone(ZoneInfo(need["time_zone"])).date()
