"""The form by which a clinic refers somebody, or a coordinator keys in what came on paper."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from babel import Locale

from services.chassis.http.forms import as_body, errors_by_field, role_of
from services.chassis.http.reading import load, schema_of
from services.chassis.http.request import Answer, Form, Request
from services.chassis.pages import Words, in_the_way, noted
from services.chassis.problems import Invalid, Problem
from services.chassis.roles import CLINIC, COORDINATOR
from services.chassis.work import Work
from services.referrals.handlers.submit import enter_referral, submit_referral
from services.referrals.pages import wording
from services.referrals.pages.console import PAGES
from services.referrals.repository.clinics import Clinics
from services.referrals.schemas.requests import EnteredReferralSchema, NewReferralSchema

# The languages asked for by name; any other goes into the field below them.
LANGUAGES: Final = ("en", "es", "vi", "zh", "ko", "ar", "fr", "ase")
_LISTS: Final = ("client.languages", "modes", "topics", "consent.scope")
_FIELDS: Final = (
    "clinic_id",
    "source",
    "client.given_name",
    "client.family_name",
    "client.preferred_name",
    "client.birth_date",
    "client.record_number",
    "client.languages",
    "client.email",
    "client.phone",
    "client.preferred_channel",
    "client.safe_contact.do_not_contact",
    "client.postal_code",
    "client.time_zone",
    "urgency",
    "topics",
    "modes",
    "wishes",
    "treatment_plan.goal",
    "treatment_plan.reference",
    "agreed",
    "consent.given_on",
    "consent.until",
    "consent.scope",
)
_AGREED: Final = "agreed"
_OTHER_LANGUAGE: Final = "client.other_language"


def show(request: Request, work: Work) -> Answer:
    typed = [(name, value) for name in ("modes",) for value in wording.MODE]
    typed += [("consent.scope", value) for value in wording.SCOPE]
    typed += [("urgency", "routine"), ("client.languages", "en")]
    return _form(replace(request, form=Form(typed)), work, {})


def send(request: Request, work: Work) -> Answer:
    """Take the referral in as the API does; show it, with what happens next."""
    errors: dict[str, list[str]] = {}
    schema, take = _TAKES[role_of(request)]
    body = load(schema_of(schema), _body(request.form, work), "body", errors)
    if request.form.get(_AGREED) not in ("yes", "no"):
        errors[_AGREED] = [noted("Say whether the person has agreed.")]
    if errors:
        raise Invalid(errors)
    answer = take(replace(request, body=body), work)
    return Answer(location=answer.location)


_TAKES: Final = {
    CLINIC: (NewReferralSchema, submit_referral),
    COORDINATOR: (EnteredReferralSchema, enter_referral),
}


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    words = Words(PAGES, request.language)
    errors = errors_by_field(problem.errors, _FIELDS, words)
    return _form(request, work, errors, told=in_the_way(problem, request.language))


def _body(form: Form, work: Work) -> dict[str, Any]:
    """What was typed, with the clinic's time zone where no other was chosen."""
    body = as_body(form.only((*_FIELDS, _OTHER_LANGUAGE)), _LISTS)
    agreed = body.pop(_AGREED, None)
    if agreed != "yes":
        body.pop("consent", None)
    elif "consent" not in body:
        body["consent"] = {}
    client = body.setdefault("client", {})
    more = client.pop("other_language", None)
    if more:
        client.setdefault("languages", []).append(more)
    clinic = _clinic(body.get("clinic_id"), work)
    if clinic:
        body.setdefault("clinic_id", str(clinic["id"]))
        client.setdefault("time_zone", clinic["time_zone"])
    safe = client.get("safe_contact", {})
    if "do_not_contact" in safe:
        safe["do_not_contact"] = safe["do_not_contact"] == "yes"
    return body


def _clinic(clinic_id: str | None, work: Work) -> dict[str, Any] | None:
    """The one chosen, or the only one there is to choose."""
    clinics = Clinics(work.connection).page(work.orgs, None, len(work.orgs) + 1)
    if clinic_id is None and len(clinics) == 1:
        return clinics[0]
    return next((one for one in clinics if str(one["id"]) == clinic_id), None)


def _form(
    request: Request, work: Work, errors: Mapping[str, str], *, told: str | None = None
) -> Answer:
    words = Words(PAGES, request.language)
    names = Locale(request.language).languages
    clinics = Clinics(work.connection).page(work.orgs, None, len(work.orgs) + 1)
    html = PAGES.visited(
        "refer.html",
        request,
        words=words,
        wording=wording,
        errors=errors,
        told=told,
        sources=words.options(wording.SOURCE) if role_of(request) is COORDINATOR else [],
        clinics=[(str(one["id"]), one["name"]) for one in clinics],
        languages=[(code, names.get(code, code)) for code in LANGUAGES],
    )
    return Answer(html=html)
