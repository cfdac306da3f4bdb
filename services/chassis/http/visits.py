"""Who may see a page, and whether a form that arrives is one that we showed them."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from services.chassis import pages
from services.chassis.http.answering import HTML
from services.chassis.http.keys import PublicKeys, read_private_key
from services.chassis.http.raw import RawRequest, RawResponse
from services.chassis.http.request import Form, Visit
from services.chassis.http.sessions import TOKEN_FIELD, NotSignedIn, Session, Sessions, cookie_of
from services.chassis.menu import Menu
from services.chassis.problems import Forbidden
from services.chassis.service import Page

if TYPE_CHECKING:
    from services.chassis.settings import Settings

SIGN_IN = "/sign-in"


@dataclass(frozen=True)
class Visits:
    """Admits signed-in people to the pages of their role."""

    sessions: Sessions
    menu: Menu
    origin: str

    @classmethod
    def from_settings(cls, settings: "Settings", keys: PublicKeys) -> "Visits":
        key = read_private_key(settings.service_key)
        sessions = Sessions(key, keys, settings.sign_in, settings.link_key)
        return cls(sessions, Menu.read(settings.menu), _origin(settings.public_url))

    def admit(self, page: Page, raw: RawRequest, form: Form, now: datetime) -> Visit:
        """The visit; raise NotSignedIn, or Forbidden for another role's page or a foreign form."""
        session = self.require_reader(page, raw, now)
        if raw.method == "POST" and not self.sessions.is_own_form(
            session, form.get(TOKEN_FIELD, "")
        ):
            raise Forbidden("This form is not one that we showed you")
        return self.visit_of(session, raw.path)

    def require_reader(self, page: Page, raw: RawRequest, now: datetime) -> Session:
        """The session of somebody for whom the page is, before anything that they sent is read."""
        session = self.sessions.read(cookie_of(raw), now)
        if session.caller.role not in page.roles:
            raise Forbidden
        return session

    def visit_of(self, session: Session, path: str) -> Visit:
        menu = self.menu.of(session.caller.role)
        return Visit(session, self.sessions.form_token(session), menu, path)

    def require_own_site(self, raw: RawRequest) -> None:
        """Refuse what another site had a browser send.

        As our pages send no referrer, a browser calls the origin of their forms `null`.
        """
        site, origin = raw.header("sec-fetch-site"), raw.header("origin")
        if site is not None:
            is_own = site in ("same-origin", "none")
        else:
            is_own = origin in (None, "null", self.origin)
        if not is_own:
            raise Forbidden("This form came from another site")


def sign_in_first(raw: RawRequest, form: Form, nobody: NotSignedIn, language: str) -> RawResponse:
    """To the sign-in page and back; what was typed stays, to be sent once signed in."""
    if raw.method != "POST":
        then = raw.path + (f"?{raw.query}" if raw.query else "")
        told = {"then": then, **({"why": "idle"} if nobody.idle else {})}
        return RawResponse(status=303, headers={"Location": f"{SIGN_IN}?{urlencode(told)}"})
    html = pages.signed_out_page(form, language, idle=nobody.idle)
    headers = {"Content-Type": HTML, "Content-Security-Policy": pages.POLICY}
    return RawResponse(status=401, headers=headers, body=html.encode())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
