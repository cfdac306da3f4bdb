"""Somebody who has signed in and uses a service's pages as a browser would."""

import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs

from deploy.region.forms import forms_of
from services.chassis.http.keys import PublicKeys
from services.chassis.http.request import Caller
from services.chassis.http.sessions import Sessions
from tests.support import Reply, Scene


@dataclass
class Browser:
    """Keeps the session's cookie, and sends forms with what the page hid in them."""

    scene: Scene
    caller: Caller | None
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.caller:
            self.sign_in(self.caller)

    def sign_in(self, caller: Caller, *, before: str | None = None) -> None:
        """As the service that has the sign-in pages would let somebody in."""
        settings = self.scene.settings
        signing_in = Sessions(
            self.scene.service_keys[settings.sign_in],
            PublicKeys(settings.token_keys),
            settings.sign_in,
            settings.link_key,
        )
        self.keep(signing_in.begin(caller, self.scene.now, before=before))

    @property
    def cookie(self) -> str:
        return self.headers["cookie"].partition("=")[2]

    def keep(self, set_cookie: str) -> None:
        self.headers["cookie"] = set_cookie.partition(";")[0]

    def get(self, path: str, **more: str) -> Reply:
        place, _, query = path.partition("?")
        asked = parse_qs(query)
        reply = self.scene.request("GET", place, query=asked, headers={**self.headers, **more})
        if "Set-Cookie" in reply.headers:
            self.keep(reply.headers["Set-Cookie"])
        return reply

    def form(self, path: str, act: str | None = None) -> dict[str, str]:
        """What the page's form for this step sends if nothing is typed; without one, the last."""
        forms = forms_of(self.get(path).text)
        fitting = [one for one in forms if ("act", act) in one.buttons] or forms
        return {**fitting[-1].fields, **({"act": act} if act else {})}

    def token(self, path: str) -> str:
        return self.form(path)["form_token"]

    def post(self, path: str, form: dict[str, str], **more: str) -> Reply:
        return self.scene.request("POST", path, form=form, headers={**self.headers, **more})

    def send(self, path: str, form: dict[str, str]) -> Reply:
        return self.post(path, {**self.form(path, form.get("act")), **form})


def words_of(reply: Reply) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.text)))
