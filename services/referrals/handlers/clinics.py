"""Clinics that take part, and whether their referrals are accepted by policy."""

from typing import Any, Final
from uuid import UUID

from services.chassis import cursors, organisations
from services.chassis.http.request import Answer, Request
from services.chassis.problems import NotFound
from services.chassis.roles import OPERATOR
from services.chassis.work import Work
from services.referrals.events import ClinicRegistered
from services.referrals.repository.clinics import Clinics, Row

TOLD: Final = ("name", "time_zone", "area")


def put_clinic(request: Request, work: Work) -> Answer:
    """Register a clinic, or change it; the same facts again change nothing."""
    clinic_id = request.path["clinic_id"]
    allow(request, work, clinic_id)
    given = {**request.body, "id": clinic_id, "version": 1}
    clinics = Clinics(work.connection)
    if clinics.add(given):
        announce(given, work)
        return answer(given, status=201)
    known = clinics.lock(clinic_id)
    if known is None:
        raise NotFound
    request.expects(known["version"])
    given["version"] = known["version"]
    if given == known:
        return answer(known)
    given["version"] += 1
    clinics.change(given)
    if any(given[name] != known[name] for name in TOLD):
        announce(given, work)
    return answer(given)


def read_clinic(request: Request, work: Work) -> Answer:
    clinic_id = request.path["clinic_id"]
    allow(request, work, clinic_id)
    clinic = Clinics(work.connection).get(clinic_id)
    if clinic is None:
        raise NotFound
    return answer(clinic)


def list_clinics(request: Request, work: Work) -> Answer:
    if request.caller and request.caller.role is OPERATOR:
        work.act_for_all("clinic")
    cursor, limit = request.query["cursor"], request.query["limit"]
    after = cursors.decode(cursor, UUID)[0] if cursor else None
    shown = work.orgs - {organisations.SYNTHETIC_CLINIC}
    rows = Clinics(work.connection).page(shown, after, limit + 1)
    page, following = cursors.page_of(rows, limit, lambda row: [row["id"]])
    return Answer(page, next_cursor=following)


def allow(request: Request, work: Work, clinic_id: UUID) -> None:
    """An operator looks after every clinic; anybody else knows only their own."""
    if request.caller and request.caller.role is OPERATOR:
        work.act_for([clinic_id])
    if clinic_id not in work.orgs:
        raise NotFound


def announce(clinic: Row, work: Work) -> None:
    told: dict[str, Any] = {name: clinic[name] for name in TOLD}
    organisations.remember(work, id=clinic["id"], kind="clinic", **told)
    work.emit(
        ClinicRegistered(clinic_id=clinic["id"], **told),
        org=clinic["id"],
        clinic_org=clinic["id"],
    )


def answer(clinic: Row, *, status: int = 200) -> Answer:
    return Answer(
        clinic,
        status=status,
        version=clinic["version"],
        location=f"/clinics/{clinic['id']}" if status == 201 else None,
    )
