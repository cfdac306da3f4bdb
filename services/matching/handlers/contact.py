"""Whether two who are matched meet; where they have not for long, a plan to reach out begins."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.chassis.work import Work
from services.matching import events
from services.matching.domain.contact import QUIET_AFTER
from services.matching.handlers import rounds
from services.matching.repository.contact import Contact
from services.matching.repository.matches import Match

AT_ONCE: Final = 100


def note_logged(event: dict[str, Any], work: Work) -> None:
    """An entry of the contact log; where nobody was reached, nobody has met."""
    if event["people"] > 0:
        met(dict.fromkeys(event["match_ids"], event["started_at"]), work)


def met(when: Mapping[UUID, datetime], work: Work) -> None:
    """Those of a quiet match are in touch again, and whoever was to reach out is told."""
    contact = Contact(work.connection)
    contact.note(when)
    for match in contact.lock_in_touch_again(when):
        contact.end_quiet(match.id)
        rounds.tell(work, match, rounds.about(events.MatchInTouch, match, **_peer(match)))


def note_quiet(work: Work) -> None:
    """Once for each time that it grows quiet; a pause or a time away is no silence."""
    contact = Contact(work.connection)
    work.each(
        contact.lock_quiet(work.now - QUIET_AFTER, work.now, AT_ONCE),
        lambda match: _begin_quiet(match, work),
    )


def recall_quiet(event: Mapping[str, Any], work: Work) -> None:
    Contact(work.connection).begin_quiet(event["match_id"], work.now)


def recall_in_touch(event: Mapping[str, Any], work: Work) -> None:
    Contact(work.connection).end_quiet(event["match_id"])


def _begin_quiet(match: Match, work: Work) -> None:
    rounds.see_both_sides(match, work)
    Contact(work.connection).begin_quiet(match.id, work.now)
    rounds.tell(work, match, rounds.about(events.MatchQuiet, match, **_peer(match)))


def _peer(match: Match) -> dict[str, UUID | None]:
    return {"peer_id": match.peer_id, "peer_organisation_id": match.peer_organisation_id}


def held(outcomes: Iterable[Mapping[str, Any]]) -> dict[UUID, datetime]:
    """The latest session held of each match."""
    found: dict[UUID, datetime] = {}
    for one in outcomes:
        if one["outcome"] == "held" and one["starts_at"]:
            known = found.get(one["match_id"])
            found[one["match_id"]] = max(one["starts_at"], known or one["starts_at"])
    return found
