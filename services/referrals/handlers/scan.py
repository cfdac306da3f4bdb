"""The scan of a consent that was given on paper: kept, and handed to those concerned only."""

from services.chassis.http.request import Answer, Request
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.referrals.domain.progress import ReferralEnded
from services.referrals.domain.source import FILE_ENDINGS, MediaType, media_type
from services.referrals.handlers.case import Case
from services.referrals.handlers.read import own_referral
from services.referrals.handlers.triage import seen_case
from services.referrals.handlers.view import referral_answer
from services.referrals.repository.consent_scans import ConsentScans


def put_consent_scan(request: Request, work: Work) -> Answer:
    """Keep the scan in place of any that was there before."""
    case = seen_case(request, work)
    keep_scan(case, request.body["content"])
    return referral_answer(case.row, work)


def keep_scan(case: Case, content: bytes) -> None:
    if not case.is_open:
        raise ReferralEnded
    work = case.work
    ConsentScans(work.connection).put(
        {
            "referral_id": case.row["id"],
            "clinic_id": case.row["clinic_id"],
            "media_type": media_type(content),
            "content": content,
            "added_at": work.now,
            "added_by_role": work.caller.role if work.caller else None,
        }
    )
    case.row["version"] += 1
    case.note("consent-scan-added")
    case.save()


def read_consent_scan(request: Request, work: Work) -> Answer:
    """Hand out the scan as a file to keep, never as a page to show; who took it is written down."""
    row = own_referral(request, work)
    scan = ConsentScans(work.connection).get(row["id"])
    if scan is None:
        raise NotFound
    work.disclose(
        recipient=request.caller.subject if request.caller else "",
        purpose="consent-scan",
        org=row["clinic_id"],
        subject_ids=[row["client_id"]],
        fields=["consent_scan"],
    )
    ending = FILE_ENDINGS[MediaType(scan["media_type"])]
    return Answer(
        content=bytes(scan["content"]),
        content_type=scan["media_type"],
        file_name=f"consent.{ending}",
    )
