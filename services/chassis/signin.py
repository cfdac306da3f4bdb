"""The pages for signing in and out, mounted by one service; the gateway sends them there.

In the demo one chooses an account of the demo region. Elsewhere accounts are the identity
provider's: the browser is sent there and comes back with a code.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields, validate

from services.chassis.errors import OwnerAway
from services.chassis.http.keys import PublicKeys
from services.chassis.http.oidc import CALLBACK, Begun, Client, NotLetIn, Provider
from services.chassis.http.request import Answer, Caller, Preparation, Request
from services.chassis.http.sessions import ended
from services.chassis.http.visits import Visits
from services.chassis.log import get_log
from services.chassis.menu import Menu
from services.chassis.pages import Pages
from services.chassis.problems import Invalid, NotFound
from services.chassis.roles import Role
from services.chassis.settings import Settings
from services.chassis.work import Work, Workplace

log = get_log(__name__)

_PAGES = Pages(Path(__file__).parent / "templates")
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")


class CallbackSchema(Schema):
    """What the provider sends the browser back with; it may say more."""

    class Meta:
        unknown = EXCLUDE

    code = fields.String(load_default=None, validate=validate.Length(max=4000))
    state = fields.String(load_default=None, validate=validate.Length(max=200))
    iss = fields.String(load_default=None, validate=validate.Length(max=2000))


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


def prepare_start(request: Request, preparation: Preparation) -> Begun:
    """What the provider's own address is, asked before the transaction begins."""
    then = _local(request.query["then"])
    return _provider(preparation.workplace).begin(then, preparation.workplace.clock())


def send_to_provider(_: Request, work: Work) -> Answer:
    begun: Begun = work.answer
    cookie = _visits(work).sessions.remember(begun.remembered, work.now)
    return Answer(location=begun.location, set_cookie=cookie)


def prepare_callback(request: Request, preparation: Preparation) -> Caller | NotLetIn:
    workplace = preparation.workplace
    provider, now = _provider(workplace), workplace.clock()
    remembered = _remembered(request, workplace.settings, now)
    if remembered is None:
        return NotLetIn("Nobody began to sign in here, or it took too long.")
    try:
        return provider.finish(request.query, remembered, now)
    except NotLetIn as refusal:
        return refusal


def come_back(request: Request, work: Work) -> Answer:
    """Let in whom the provider named, and show what they had asked for."""
    found: Caller | NotLetIn = work.answer
    if isinstance(found, NotLetIn):
        log.info("not_let_in", reason=str(found))
        return replace(_form(request, work, why="not-let-in"), status=403)
    remembered = _remembered(request, work.settings, work.now) or {}
    cookie = _visits(work).sessions.begin(found, work.now, before=request.cookie)
    return Answer(location=_local(str(remembered.get("then", "/"))), set_cookie=cookie)


def prepare_sign_in(request: Request, preparation: Preparation) -> str | None:
    """Where one signs out at the provider as well; a provider that is away is no hindrance."""
    workplace = preparation.workplace
    if workplace.settings.oidc is None or request.query["why"] != "left":
        return None
    try:
        back = f"{workplace.settings.public_url}/sign-in"
        return _provider(workplace).end(back, workplace.clock())
    except OwnerAway:
        return None


_PROVIDERS: dict[Client, Provider] = {}


def _provider(workplace: Workplace) -> Provider:
    """Kept, because it knows the provider's configuration and keys."""
    settings = workplace.settings.oidc
    if settings is None:
        raise NotFound
    back = f"{workplace.settings.public_url}{CALLBACK}"
    client = Client(settings.issuer, settings.client_id, settings.secret, back)
    return _PROVIDERS.setdefault(client, Provider(client))


def _remembered(request: Request, settings: Settings, now: datetime) -> dict[str, Any] | None:
    visits = Visits.from_settings(settings, PublicKeys(settings.token_keys))
    return visits.sessions.remembered(request.signing_in, now)


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


def _form(request: Request, work: Work, *, why: str | None = None) -> Answer:
    by_role: dict[str, list[Account]] = {}
    for account in _accounts(work):
        by_role.setdefault(account.caller.role, []).append(account)
    html = _PAGES.render(
        "sign-in.html",
        language=request.language,
        by_role=by_role,
        why=why or request.query.get("why"),
        has_provider=work.settings.oidc is not None,
        sign_out_there=work.answer if isinstance(work.answer, str) else None,
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
