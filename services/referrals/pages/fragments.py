"""What the gateway puts into other services' pages: how a person is called, to who may know."""

from markupsafe import escape

from services.chassis.http.request import Answer, Caller, Request
from services.chassis.problems import NotFound
from services.chassis.roles import PEER
from services.chassis.work import Work
from services.referrals.pages.console import name_of
from services.referrals.repository.referrals import Referrals, Row


def name_person(request: Request, work: Work) -> Answer:
    """The name that the person likes to be called by; to their peer, no more than that."""
    caller = request.caller
    if caller is None:
        raise NotFound
    served = frozenset(work.orgs)
    work.act_for_all("clinic")
    row = next(iter(Referrals(work.connection).find(ids=[request.path["referral_id"]])), None)
    if row is None or not _may_know(caller, row, served):
        raise NotFound
    if caller.role is not PEER:
        return Answer(html=str(escape(name_of(row["client"]))))
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


def _may_know(caller: Caller, row: Row, served: frozenset[object]) -> bool:
    if caller.role is PEER:
        return caller.person is not None and row["peer_id"] == caller.person
    return row["clinic_id"] in served
