"""The coordinator's answer, the clinic's information, and the end that anybody may call."""

from services.chassis.http.request import Answer, Request
from services.chassis.work import Work
from services.referrals.domain.progress import (
    Action,
    ConsentMissing,
    Status,
    TooLateToReopen,
    can_reopen,
)
from services.referrals.events import (
    ReferralAccepted,
    ReferralDeclined,
    ReferralInformationProvided,
    ReferralInformationRequested,
    ReferralReopened,
    ReferralWithdrawn,
)
from services.referrals.handlers.case import Case, named
from services.referrals.handlers.tell import consents_of
from services.referrals.handlers.view import referral_answer
from services.referrals.repository.work_records import InformationRequests, Steps


def accept_referral(request: Request, work: Work) -> Answer:
    case = seen_case(request, work)
    case.row["accepted"] = True
    case.move(Action.ACCEPT, "accepted", by="coordinator")
    case.emit(ReferralAccepted(**named(case.row)))
    return referral_answer(case.row, work)


def decline_referral(request: Request, work: Work) -> Answer:
    case = seen_case(request, work)
    reason = request.body["reason"]
    case.move(Action.DECLINE, "declined", reason=reason)
    case.emit(ReferralDeclined(reason=reason, **named(case.row)))
    return referral_answer(case.row, work)


def reopen_referral(request: Request, work: Work) -> Answer:
    """It was not taken on by mistake: it stands where it stood, and the waiting date is kept."""
    case = seen_case(request, work)
    declined_at = Steps(work.connection).latest(case.row["id"], "declined")
    if case.status is Status.DECLINED and not can_reopen(case.status, declined_at, work.now):
        raise TooLateToReopen
    consent = consents_of([case.row], work).get(case.row["id"])
    if case.status is Status.DECLINED and not (consent and consent.allows_matching(work.now)):
        raise ConsentMissing
    case.move(Action.REOPEN, "reopened")
    case.ask_for_missing_contact()
    row = case.row
    case.emit(
        ReferralReopened(
            client_id=row["client_id"],
            received_at=row["received_at"],
            accepted=row["accepted"],
            **named(row),
        )
    )
    return referral_answer(case.row, work)


def request_information(request: Request, work: Work) -> Answer:
    """Ask the clinic; what is asked in words stays in referrals."""
    case = seen_case(request, work)
    body = request.body
    case.move(Action.REQUEST_INFORMATION, "information-requested", asked_for=body["asked_for"])
    InformationRequests(work.connection).add(
        {
            "id": work.new_id(),
            "referral_id": case.row["id"],
            "clinic_id": case.row["clinic_id"],
            "asked_for": body["asked_for"],
            "question": body["text"],
            "requested_at": work.now,
        }
    )
    case.emit(ReferralInformationRequested(**named(case.row)))
    return referral_answer(case.row, work)


def provide_information(request: Request, work: Work) -> Answer:
    case = seen_case(request, work)
    case.move(Action.PROVIDE_INFORMATION, "information-provided")
    InformationRequests(work.connection).answer(
        case.row["id"], text=request.body["text"], at=work.now
    )
    case.emit(ReferralInformationProvided(**named(case.row)))
    return referral_answer(case.row, work)


def withdraw_referral(request: Request, work: Work) -> Answer:
    """End the referral from any point; nobody has to say why."""
    case = seen_case(request, work)
    by = str(work.caller.role) if work.caller else "coordinator"
    case.row["withdrawn_by"] = by
    case.move(Action.WITHDRAW, "withdrawn", by=by, reason=request.body["reason"])
    case.emit(ReferralWithdrawn(by=by, **named(case.row)))
    return referral_answer(case.row, work)


def seen_case(request: Request, work: Work) -> Case:
    """Lock the referral in the version that the caller saw."""
    case = Case.of_request(work, request.path["referral_id"])
    request.expects(case.row["version"])
    return case
