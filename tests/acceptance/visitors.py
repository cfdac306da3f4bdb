"""People who have signed in, and what their browser sends."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import urllib3

from deploy.machine.ports import LOOPBACK
from deploy.machine.private_files import key_file, key_set_file
from deploy.region.api import Account
from services.chassis.http.keys import PublicKeys, kid_of, read_private_key
from services.chassis.http.request import Caller
from services.chassis.http.sessions import Sessions
from services.chassis.roles import Role
from services.chassis.work import system_clock
from tests.acceptance.running import Running


@dataclass
class Browser:
    """Follows no redirect, and keeps the one cookie."""

    system: Running
    cookie: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Accept": "text/html"})

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> Any:
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        return urllib3.request(
            method,
            f"http://{LOOPBACK}:{self.system.gateway_port}{path}",
            body=urlencode(form) if form else None,
            headers={**self.headers, **cookie, **kind},
            redirect=False,
            retries=False,
            timeout=10,
        )


def sessions_of(system: Running, service: str) -> Sessions:
    """As that service reads them, and as the one with the sign-in pages begins them."""
    key = read_private_key(key_file(system.run.keys, kid_of("referrals")))
    keys = PublicKeys(key_set_file(system.run.keys))
    return Sessions(key, keys, "referrals", system.secret(f"links {service}"))


def cookie_for(system: Running, account: Account) -> str:
    """The cookie of somebody who has just signed in, as `name=value`."""
    person = UUID(account.person) if account.person else None
    orgs = frozenset(map(UUID, account.orgs))
    caller = Caller(account.account, Role(account.role), orgs, person)
    begun = sessions_of(system, "referrals").begin(caller, system_clock())
    return begun.partition(";")[0]


def signed_in(system: Running, service: str, account: Account) -> tuple[Browser, str]:
    """Somebody who has signed in, and the token of the forms that the service shows them."""
    cookie = cookie_for(system, account)
    sessions = sessions_of(system, service)
    session = sessions.of_cookie(cookie.partition("=")[2], system_clock())
    assert session
    return Browser(system, cookie), sessions.form_token(session)


def someone(role: str, orgs: tuple[str, ...]) -> Account:
    return Account(role, f"{role}-{uuid4()}", orgs, str(uuid4()))
