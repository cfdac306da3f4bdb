"""Putting right what was wrong: about a person, what is asked for, or who is the same person."""

from typing import Any, Final

from services.chassis.errors import DomainError
from services.chassis.http import reading
from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid
from services.chassis.work import Work
from services.referrals.domain import person
from services.referrals.domain.progress import ReferralEnded
from services.referrals.events import ReferralCorrected
from services.referrals.handlers.case import Case, named
from services.referrals.handlers.tell import NEED_STATE, NEED_WISHES, allowing_matching
from services.referrals.handlers.triage import seen_case
from services.referrals.handlers.view import referral_answer
from services.referrals.repository.referrals import Referrals, Row
from services.referrals.schemas.requests import ASKED, CLIENT, PLAN, REPRESENTATIVE

NO_PLAN: Final = PLAN.dump(PLAN.load({}))
RANKED_BY: Final = frozenset({*NEED_WISHES, *NEED_STATE})


class NotLinked(DomainError):
    slug = "not-linked"

    def __init__(self) -> None:
        super().__init__("This referral is not linked to an earlier one")


def correct_client(request: Request, work: Work) -> Answer:
    """Correct the person's facts, here and in their other open referrals of the clinic."""
    case = seen_case(request, work)
    given = dict(request.body)
    before = case.row["representative"]
    representative = given.pop("representative", before)
    facts = {
        "client": CLIENT.dump(given),
        "representative": representative and stood_for(before or {}, representative),
    }
    apply(case, facts, given=request.body)
    for row in Referrals(work.connection).find(client_ids=[case.row["client_id"]]):
        other = Case.find(work, row["id"]) if row["id"] != case.row["id"] else None
        if other and other.is_open:
            apply(other, facts, given=request.body)
    return referral_answer(case.row, work)


def correct_referral(request: Request, work: Work) -> Answer:
    """Correct what the referral asks for; only another urgency makes another next date."""
    case = seen_case(request, work)
    if not case.is_open:
        raise ReferralEnded
    before = asked(case.row)
    after = laid_over(before, ASKED.dump(request.body), "preferences", "treatment_plan")
    corrected = sorted(name for name in after if after[name] != before[name])
    if corrected:
        case.row["urgency"] = after["urgency"]
        case.row["plan"] = after["treatment_plan"]
        case.row["needs"] = {name: after[name] for name in case.row["needs"]}
        case.row["version"] += 1
        case.note("corrected", fields=corrected)
        if "urgency" in corrected:
            case.assign()
        Referrals(work.connection).save(case.row)
        tell(case, needs_changed=not RANKED_BY.isdisjoint(corrected))
    return referral_answer(case.row, work)


def asked(row: Row) -> dict[str, Any]:
    """Write what the referral asks for as it came in."""
    plan = row["plan"] or NO_PLAN
    return {**row["needs"], "urgency": row["urgency"], "treatment_plan": plan}


def apply(case: Case, facts: dict[str, Any], *, given: dict[str, Any]) -> None:
    """Change one referral's facts, tell of it if it matters, and see who can be reached now."""
    before = case.row["client"]
    client = merged(before, facts["client"])
    is_settled = settles_dispute(case, {**facts, "client": client}, given)
    is_same = client == before and facts["representative"] == case.row["representative"]
    if is_same and not is_settled:
        return
    if is_settled:
        case.settle_contact()
    case.row["client"] = client
    case.row["representative"] = facts["representative"]
    case.row["version"] += 1
    Referrals(case.work.connection).correct(case.row, person.identity(client))
    case.note("corrected")
    case.save()
    case.ask_for_contact()
    tell(case, needs_changed=person.needs_differ(before, client))


def settles_dispute(case: Case, facts: dict[str, Any], given: dict[str, Any]) -> bool:
    """Say whether a contact in dispute is named anew; naming the same one confirms it."""
    if case.row["contact_disputed_at"] is None:
        return False
    now = person.reach(facts["client"], facts["representative"], minor=case.is_minor)
    return person.renews_contact(given, now)


def merged(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Lay the correction over what is known, and check the whole as if it were new."""
    client = laid_over(before, given, "safe_contact")
    errors: dict[str, list[str]] = {}
    loaded = reading.load(CLIENT, client, "client", errors)
    if errors:
        raise Invalid(errors)
    facts: dict[str, Any] = CLIENT.dump(loaded)
    return facts


def laid_over(before: dict[str, Any], given: dict[str, Any], *parts: str) -> dict[str, Any]:
    """Put what is given in its place, in the named parts field by field; null empties a part."""
    inner = {
        part: dict.fromkeys(before[part]) if given[part] is None else before[part] | given[part]
        for part in parts
        if part in given
    }
    return {**before, **given, **inner}


def stood_for(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Lay the correction over who was known to speak for the person, and check the whole."""
    errors: dict[str, list[str]] = {}
    loaded = reading.load(REPRESENTATIVE, {**before, **given}, "representative", errors)
    if errors:
        raise Invalid({f"representative.{field}": words for field, words in errors.items()})
    facts: dict[str, Any] = REPRESENTATIVE.dump(loaded)
    return facts


def unlink_referral(request: Request, work: Work) -> Answer:
    """Undo a wrong link: from now on this referral is another person's."""
    case = seen_case(request, work)
    if case.row["linked_referral_id"] is None:
        raise NotLinked
    case.row["client_id"] = work.new_id()
    case.row["linked_referral_id"] = None
    case.row["version"] += 1
    case.note("unlinked")
    case.save()
    tell(case, needs_changed=False)
    return referral_answer(case.row, work)


def tell(case: Case, *, needs_changed: bool) -> None:
    """Tell of it; to rank anew, only while there is a consent to learn the needs by."""
    ranks_anew = needs_changed and bool(allowing_matching([case.row], case.work))
    case.emit(
        ReferralCorrected(
            client_id=case.row["client_id"], needs_changed=ranks_anew, **named(case.row)
        )
    )
