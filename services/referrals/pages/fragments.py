"""What the gateway puts into other services' pages: how a person is called, to who may know."""

from markupsafe import escape

from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import NotFound
from services.chassis.work import Work
from services.referrals.handlers.read import own_referral
from services.referrals.handlers.tell import allowing_matching
from services.referrals.pages.console import name_of
from services.referrals.repository.referrals import Referrals, Row


def name_person(request: Request, work: Work) -> Answer:
    """The name that the person likes to be called by: to their peer, while the consent holds."""
    caller = request.caller
    work.act_for_all("clinic")
    row = next(iter(Referrals(work.connection).find(ids=[request.path["referral_id"]])), None)
    if caller is None or row is None or not _may_know(caller, row, work):
        raise NotFound
    work.disclose(
        recipient=f"peer:{caller.person}",
        purpose="peer-support",
        org=row["clinic_id"],
        subject_ids=[row["client_id"]],
        fields=("preferred_name",),
        daily=True,
    )
    client = row["client"]
    return Answer(html=str(escape(client.get("preferred_name") or client["given_name"])))


def name_to_staff(request: Request, work: Work) -> Answer:
    """Who the person is, as their own clinic's staff finds them: name and record number."""
    row = own_referral(request, work)
    number = row["client"].get("record_number")
    named = name_of(row["client"])
    return Answer(html=str(escape(f"{named} ({number})" if number else named)))


def _may_know(caller: Caller, row: Row, work: Work) -> bool:
    """A consent that has ended counts at once, whatever became of the match meanwhile."""
    consent = allowing_matching([row], work).get(row["id"])
    if consent is None or caller.person is None or row["peer_id"] != caller.person:
        return False
    reached = consent.peer_organisations()
    return reached is None or row["peer_organisation_id"] in reached
