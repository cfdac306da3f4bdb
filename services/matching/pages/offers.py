"""What was offered to a person and what came of it, in words for staff."""

from typing import Any
from uuid import UUID

from services.chassis.pages import Words
from services.chassis.work import Work
from services.matching.pages import wording
from services.matching.repository.offers import Offers

Row = dict[str, Any]


def rows_of_offers(referral_id: UUID, zone: str, words: Words, work: Work) -> list[Row]:
    """Every offer of every round, the latest first; an offer names peers of any organisation."""
    work.act_for_all("peer-organisation")
    return [_row(row, zone, words) for row in Offers(work.connection).of_referral(referral_id)]


def _row(row: Row, zone: str, words: Words) -> Row:
    is_open, state = row["state"] in ("open", "chosen"), row["state"]
    recorded = row["acceptance_recorded_how"] or row["choice_recorded_how"]
    if row["declined_by"]:
        state = f"{state}-{row['declined_by']}"
    return {
        "when": words.moment(row["offered_at"], zone),
        "names": ", ".join(row["names"]),
        "state": words.of(wording.OFFER, state),
        "chosen": row["chosen"] if row["state"] in ("chosen", "accepted") else None,
        "answer_by": words.moment(row["answer_by"], zone) if is_open else None,
        "answered": words.moment(row["answered_at"], zone) if row["answered_at"] else None,
        "noted": words.of(wording.HOW, recorded) if recorded else None,
    }
