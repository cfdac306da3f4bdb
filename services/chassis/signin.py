"""The pages for signing in and out, mounted by one service; the gateway sends them there.

In the demo one chooses an account of the demo region. Elsewhere accounts are the identity
provider's, and these pages know none.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from services.chassis.http.keys import PublicKeys
from services.chassis.http.request import Answer, Caller, Request
from services.chassis.http.sessions import ended
from services.chassis.http.visits import Visits
from services.chassis.menu import Menu
from services.chassis.pages import Pages
from services.chassis.problems import Invalid
from services.chassis.roles import Role
from services.chassis.work import Work

_PAGES = Pages(Path(__file__).parent / "templates")
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")


class AskedSchema(Schema):
    """Where to go once signed in, and why one is here."""

    then = fields.String(load_default="/", validate=validate.Length(max=2000))
    why = fields.String(load_default=None, validate=validate.OneOf(["idle", "left"]))


@dataclass(frozen=True)
class Account:
    """One account of the demo, and in whose name it acts."""

    caller: Caller
    organisations: Sequence[str]


def start(request: Request, work: Work) -> Answer:
    """To the first page of whoever has signed in, else to where that is done."""
    session = _visits(work).sessions.of_cookie(request.cookie, work.now)
    if session is None:
        return Answer(location="/sign-in")
    menu = Menu.read(work.settings.menu).of(session.caller.role)
    if menu:
        return Answer(location=menu[0].path)
    visits = _visits(work)
    visit = visits.visit_of(session, "/")
    html = _PAGES.render("nothing-here.html", language=request.language, visit=visit)
    return Answer(html=html)


def show(request: Request, work: Work) -> Answer:
    return _form(request, work)


def enter(request: Request, work: Work) -> Answer:
    chosen = request.form.get("account")
    account = next((one for one in _accounts(work) if one.caller.subject == chosen), None)
    if account is None:
        raise Invalid({"account": ["Not an account of the demo."]})
    cookie = _visits(work).sessions.begin(account.caller, work.now, before=request.cookie)
    return Answer(location=_local(request.form.get("then", "")), set_cookie=cookie)


def leave(request: Request, work: Work) -> Answer:  # noqa: ARG001  handlers are given both
    return Answer(location="/sign-in?why=left", set_cookie=ended())


def _accounts(work: Work) -> list[Account]:
    """The accounts that the demo region's loader wrote down; none anywhere else."""
    path = work.settings.demo_accounts if work.settings.demo else None
    try:
        told: dict[str, Any] = json.loads(path.read_text()) if path else {}
    except FileNotFoundError:
        told = {}
    names = {one["id"]: one["name"] for one in told.get("organisations", ())}
    return [_account(one, names) for one in told.get("accounts", ())]


def _account(told: dict[str, Any], names: dict[str, str]) -> Account:
    person = told.get("person")
    orgs = told.get("orgs", ())
    caller = Caller(
        told["account"],
        Role(told["role"]),
        frozenset(map(UUID, orgs)),
        UUID(person) if person else None,
    )
    return Account(caller, [names[one] for one in orgs if one in names])


def _form(request: Request, work: Work) -> Answer:
    by_role: dict[str, list[Account]] = {}
    for account in _accounts(work):
        by_role.setdefault(account.caller.role, []).append(account)
    html = _PAGES.render(
        "sign-in.html",
        language=request.language,
        by_role=by_role,
        why=request.query.get("why"),
        then=_local(request.query.get("then") or ""),
    )
    return Answer(html=html)


def _local(path: str) -> str:
    r"""The path, if it is one of ours: a browser takes // and \ for another site's address.

    It goes into a header: nothing but visible ASCII, as a browser's own address has.
    """
    return path if _LOCAL.fullmatch(path) else "/"


def _visits(work: Work) -> Visits:
    return Visits.from_settings(work.settings, PublicKeys(work.settings.token_keys))
