"""A page without an account, one for each clinic, for people themselves and for relatives.

Who sends it sees no referral, not even whether the person is known already.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from babel import Locale

from services.chassis.help_lines import help_of
from services.chassis.http.forms import as_body, errors_by_field
from services.chassis.http.reading import load, schema_of
from services.chassis.http.request import Answer, Form, Request
from services.chassis.pages import Words, noted
from services.chassis.problems import Invalid, NotFound, Problem
from services.chassis.work import Work
from services.referrals.domain import person
from services.referrals.domain.source import Evidence, Source
from services.referrals.handlers.submit import keep
from services.referrals.pages import wording
from services.referrals.pages.console import PAGES
from services.referrals.pages.referring import LANGUAGES
from services.referrals.repository.clinics import Clinics
from services.referrals.repository.referrals import Referrals
from services.referrals.schemas.requests import NewReferralSchema, client_facts

_FIELDS: Final = (
    "client.given_name",
    "client.family_name",
    "client.preferred_name",
    "client.birth_date",
    "client.languages",
    "client.postal_code",
    "client.email",
    "client.phone",
    "client.preferred_channel",
    "wishes",
    "modes",
)
_LISTS: Final = ("client.languages", "modes")
_WHO, _AGREED = "who", "agreed"
_AGAIN: Final = timedelta(hours=1)


def show(request: Request, work: Work) -> Answer:
    typed = [("modes", mode) for mode in wording.MODE]
    typed.append(("client.languages", request.language))
    return _form(request, work, Form(typed), {})


def send(request: Request, work: Work) -> Answer:
    clinic = _clinic(request, work)
    errors: dict[str, list[str]] = {}
    sent = as_body(request.form.only(_FIELDS), _LISTS)
    sent.setdefault("client", {})["time_zone"] = clinic["time_zone"]
    if request.form.get(_WHO) == Source.SELF:
        sent["consent"] = {}
    body = load(schema_of(NewReferralSchema), sent, "body", errors)
    who, agreed = request.form.get(_WHO), request.form.get(_AGREED)
    if who not in (Source.SELF, Source.RELATIVE):
        errors[_WHO] = [noted("Say for whom this is.")]
    if who == Source.SELF and agreed != "yes":
        errors[_AGREED] = [noted("Without your agreement we may not look for anybody.")]
    if errors:
        raise Invalid(errors)
    consent = body["consent"] and {**body["consent"], "evidence": Evidence.OWN_FORM}
    if not _was_sent_already(body["client"], clinic["id"], work):
        keep({**body, "clinic_id": clinic["id"], "consent": consent}, Source(str(who)), work)
    html = _render("asked.html", request, work, clinic=clinic, agreed=consent is not None)
    return Answer(html=html)


def _was_sent_already(client: dict[str, Any], clinic_id: UUID, work: Work) -> bool:
    """A button pressed twice asks once; who comes again another day is heard again."""
    identity = person.identity(client_facts(client))
    referrals = Referrals(work.connection)
    same = person.same_person(identity, referrals.earlier(clinic_id, identity))
    found = referrals.find(ids=[same.referral_id]) if same else []
    return any(
        row["source"] in (Source.SELF, Source.RELATIVE) and row["received_at"] > work.now - _AGAIN
        for row in found
    )


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    words = Words(PAGES, request.language)
    errors = errors_by_field(problem.errors, (*_FIELDS, _WHO, _AGREED), words)
    return _form(request, work, request.form, errors)


def _clinic(request: Request, work: Work) -> dict[str, Any]:
    """The clinic whose page it is; from here on the work is done for it alone."""
    clinic_id: UUID = request.path["clinic_id"]
    work.act_for([clinic_id])
    clinic = Clinics(work.connection).get(clinic_id)
    if clinic is None:
        raise NotFound
    return clinic


def _form(request: Request, work: Work, form: Form, errors: Mapping[str, str]) -> Answer:
    words, names = Words(PAGES, request.language), Locale(request.language).languages
    facts = {
        "words": words,
        "wording": wording,
        "form": form,
        "errors": errors,
        "languages": [(code, names.get(code, code)) for code in LANGUAGES],
    }
    clinic = _clinic(request, work)
    return Answer(html=_render("ask-yourself.html", request, work, clinic=clinic, **facts))


def _render(template: str, request: Request, work: Work, **facts: Any) -> str:
    in_need = help_of(work, [facts["clinic"]["id"]])
    return PAGES.render(
        template, language=request.language, in_need=in_need, is_private=True, **facts
    )
