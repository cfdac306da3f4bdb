"""What of a referral each role may see; whatever is not named here stays out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from services.chassis.http.request import Answer
from services.chassis.roles import CLIENT, CLINIC, COORDINATOR, Role
from services.chassis.work import Work
from services.referrals.domain import person
from services.referrals.domain.progress import MatchState, Status, plan_state
from services.referrals.repository.consent_scans import ConsentScans
from services.referrals.repository.consents import Consents
from services.referrals.repository.referrals import Referrals, Row
from services.referrals.repository.work_records import InformationRequests, Step, Steps

EVERYBODY_SEES: Final = (
    "id",
    "clinic_id",
    "client_id",
    "status",
    "accepted",
    "urgency",
    "received_at",
    "source",
    "next_date",
    "version",
)
STAFF_SEES: Final = ("external_reference", "submitted_at", "linked_referral_id", "representative")
CODES: Final = frozenset(
    {
        "reason",
        "by",
        "cause",
        "mode",
        "asked_for",
        "outcome",
        "recipient",
        "kind",
        "channel",
        "fields",
        "source",
        "evidence",
        "until",
    }
)
DETAILS_SEEN: Final[Mapping[Role, frozenset[str]]] = {
    CLINIC: CODES | {"referral_id", "answer_by"},
    CLIENT: CODES | {"answer_by", "starts_at"},
}


@dataclass(frozen=True)
class Kept:
    """What is kept beside the referral's row and shown with it."""

    consent: Row | None
    steps: Sequence[Step]
    information_requests: Sequence[Row] = ()
    scan: Row | None = None

    @classmethod
    def of(cls, referral_id: UUID, work: Work) -> "Kept":
        consent = next(iter(Consents(work.connection).in_force([referral_id])), None)
        steps = Steps(work.connection).of(referral_id)
        asked = InformationRequests(work.connection).of(referral_id)
        return cls(consent, steps, asked, ConsentScans(work.connection).of(referral_id))


def referral_answer(row: Row, work: Work, kept: Kept | None = None) -> Answer:
    """The referral; what has just been written need not be read again."""
    known = kept or Kept.of(row["id"], work)
    return Answer(whole(row, work, known), version=row["version"])


def summary(row: Row, role: Role) -> dict[str, Any]:
    view = {name: row[name] for name in EVERYBODY_SEES}
    view["owner"] = owner(row)
    view["match"] = match(row)
    view["plan_line"] = plan_line(row, role)
    view["pause"] = pause(row)
    if role is not CLIENT:
        view["client"] = row["client"]
    return view


def whole(row: Row, work: Work, kept: Kept) -> dict[str, Any]:
    """Show a referral with its timeline, as far as the caller's role reaches."""
    caller = work.caller
    if caller is None:
        raise TypeError("a referral is shown to a caller")
    consent = kept.consent
    view = {**summary(row, caller.role), **row["needs"]}
    view["consent"] = consent and {**consent, "with": consent["recipients"]}
    view["consent_scan"] = kept.scan
    view["timeline"] = timeline(kept.steps, caller.role, consent["scope"] if consent else [])
    if caller.role is not CLIENT:
        view |= {name: row[name] for name in STAFF_SEES}
        view["information_requests"] = kept.information_requests
    if caller.role is COORDINATOR:
        view["same_person_elsewhere"] = same_person_elsewhere(row, work)
    return view


def owner(row: Row) -> dict[str, Any] | None:
    if row["owner_role"] is None:
        return None
    return {"role": row["owner_role"], "organisation_id": row["owner_organisation_id"]}


def match(row: Row) -> dict[str, Any] | None:
    if row["match_id"] is None:
        return None
    return {
        "match_id": row["match_id"],
        "round": row["match_round"],
        "state": row["match_state"],
        "peer_organisation_id": row["peer_organisation_id"],
    }


def pause(row: Row) -> dict[str, Any] | None:
    if row["paused_at"] is None:
        return None
    return {
        "since": row["paused_at"],
        "until": row["paused_until"],
        "reason": row["pause_reason"],
    }


def plan_line(row: Row, role: Role) -> dict[str, Any]:
    """The treatment plan's line; its goal is between the clinic and the person's plan."""
    plan = row["plan"] or {}
    match_state = row["match_state"]
    line: dict[str, Any] = {
        "state": plan_state(
            Status(row["status"]),
            MatchState(match_state) if match_state else None,
            was_submitted=row["submitted_at"] is not None,
        )
    }
    if role is not CLIENT:
        line["reference"] = plan.get("reference")
    if role is CLINIC:
        line["goal"] = plan.get("goal")
    return line


def timeline(steps: Iterable[Step], role: Role, scope: Sequence[str]) -> list[Step]:
    """Show the steps in order; sessions reach the clinic only where the person agreed."""
    seen = DETAILS_SEEN.get(role)
    hides_sessions = role is CLINIC and "progress-to-clinic" not in scope
    return [
        step if seen is None else {**step, "details": only(step["details"], seen)}
        for step in steps
        if not (hides_sessions and tells_of_session(step))
        and not (seen and step["details"].get("recipient") == "peer")
    ]


def tells_of_session(step: Mapping[str, Any]) -> bool:
    """Also what became of a notice about one says that there is one."""
    about = step["step"], step["details"].get("kind", "")
    return any(name.startswith("session-") for name in about)


def only(details: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if name in names}


def same_person_elsewhere(row: Row, work: Work) -> list[Any]:
    """Who serves several clinics may see that they refer the same person; no clinic ever does."""
    here = person.identity({**row["client"], "record_number": None})
    found = Referrals(work.connection).elsewhere(work.orgs, row, here)
    return [other.referral_id for other in found if here.is_same_person(other.identity)]
