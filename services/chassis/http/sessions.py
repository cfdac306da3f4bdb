"""Who is signed in: a cookie that every service reads by itself, and how long it lasts.

The cookie holds two signed statements. The first says who signed in; only the service that has the
sign-in pages makes it, and it ends half a day later whatever happens. The second says when
the person was last here; any service renews it, and it can lengthen nothing but the pause.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from secrets import token_bytes, token_hex
from typing import Any
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import JoseError

from services.chassis.http.keys import KeyWithName, PublicKeys
from services.chassis.http.raw import RawRequest
from services.chassis.http.request import Caller
from services.chassis.roles import SERVICE, Role

COOKIE = "kindred"
TOKEN_FIELD = "form_token"  # noqa: S105  a field's name
ONCE_FIELD = "once"
SIGNING_IN_COOKIE = "kindred-signing-in"
LASTS = timedelta(hours=12)
SIGNING_IN_LASTS = timedelta(minutes=10)
IDLE = timedelta(minutes=30)

_RENEWED = timedelta(minutes=1)
_SIGNED_IN, _SEEN, _SIGNING_IN = "signed-in+jwt", "seen+jwt", "signing-in+jwt"
_MAX_CHARACTERS = 8192


class NotSignedIn(Exception):
    """`idle` where somebody was signed in and did nothing for too long."""

    def __init__(self, *, idle: bool = False) -> None:
        super().__init__("idle" if idle else "nobody")
        self.idle = idle


@dataclass(frozen=True)
class Session:
    """A signed-in person at one request."""

    caller: Caller
    id: str
    statement: str
    ends_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class Sessions:
    """Reads and writes the cookie; `signing_in` names the service that has the sign-in pages."""

    key: KeyWithName
    keys: PublicKeys
    signing_in: str
    form_secret: str

    def begin(self, caller: Caller, now: datetime, *, before: str | None = None) -> str:
        """The Set-Cookie of somebody who has just signed in.

        Whoever takes up a session that had gone idle keeps its id, and with it a form's token.
        """
        claims: dict[str, Any] = {
            "iss": self.key.kid,
            "sub": caller.subject,
            "role": caller.role,
            "orgs": sorted(map(str, caller.orgs)),
            "sid": self._id_of(before, caller) or token_hex(16),
            "exp": _seconds(now + LASTS),
        }
        if caller.person is not None:
            claims["person"] = str(caller.person)
        return self._cookie(_signed(self.key, _SIGNED_IN, claims), claims["sid"], now)

    def of_cookie(self, cookie: str, now: datetime) -> Session | None:
        """Who is signed in, if anybody is."""
        try:
            return self.read(cookie, now)
        except NotSignedIn:
            return None

    def read(self, cookie: str, now: datetime) -> Session:
        """Who is signed in; raise NotSignedIn."""
        statement, _, seen = cookie.partition("~")
        claims = self._claims(statement, _SIGNED_IN)
        if claims is None or claims["iss"] != f"service:{self.signing_in}":
            raise NotSignedIn
        ends_at = datetime.fromtimestamp(claims["exp"], now.tzinfo)
        caller = _caller(claims)
        last = self._claims(seen, _SEEN)
        if last is None or last.get("sid") != claims["sid"] or now >= ends_at:
            raise NotSignedIn(idle=True)
        seen_at = datetime.fromtimestamp(last["at"], now.tzinfo)
        if not -_RENEWED < now - seen_at < IDLE:
            raise NotSignedIn(idle=True)
        return Session(caller, claims["sid"], statement, ends_at, seen_at)

    def renewed(self, session: Session, now: datetime) -> str | None:
        """The Set-Cookie that notes a visit, where the last note is old enough."""
        if now - session.seen_at < _RENEWED:
            return None
        return self._cookie(session.statement, session.id, now)

    def remember(self, facts: Mapping[str, str], now: datetime) -> str:
        """The Set-Cookie of what has to be known when somebody comes back from the provider."""
        claims = {**facts, "iss": self.key.kid, "exp": _seconds(now + SIGNING_IN_LASTS)}
        value = _signed(self.key, _SIGNING_IN, claims)
        most = int(SIGNING_IN_LASTS.total_seconds())
        return (
            f"{SIGNING_IN_COOKIE}={value}; Path=/sign-in; Secure; HttpOnly; SameSite=Lax; "
            f"Max-Age={most}"
        )

    def remembered(self, cookie: str, now: datetime) -> dict[str, Any] | None:
        claims = self._claims(cookie, _SIGNING_IN)
        return claims if claims and _seconds(now) < claims["exp"] else None

    def form_token(self, session: Session) -> str:
        """What proves that a form was shown to this session, by this service.

        It looks different each time: pages are compressed, and the size of a page that repeats
        what somebody chose must tell nothing of what else stands on it (BREACH).
        """
        mask = token_bytes(sha256().digest_size)
        return (mask + _xor(mask, self._token(session.id))).hex()

    def is_own_form(self, session: Session, token: str) -> bool:
        try:
            sent = bytes.fromhex(token)
        except ValueError:
            return False
        half = sha256().digest_size
        told = _xor(sent[:half], sent[half:]) if len(sent) == 2 * half else b""
        return hmac.compare_digest(self._token(session.id), told)

    def _token(self, session_id: str) -> bytes:
        return hmac.digest(self.form_secret.encode(), f"form\n{session_id}".encode(), sha256)

    def _cookie(self, statement: str, session_id: str, now: datetime) -> str:
        seen = {"iss": self.key.kid, "sid": session_id, "at": _seconds(now)}
        return _set_cookie(f"{statement}~{_signed(self.key, _SEEN, seen)}")

    def _id_of(self, before: str | None, caller: Caller) -> str | None:
        """The id of the same person's session that the cookie still tells of."""
        claims = self._claims((before or "").partition("~")[0], _SIGNED_IN)
        return claims["sid"] if claims and _caller(claims) == caller else None

    def _claims(self, token: str, kind: str) -> dict[str, Any] | None:
        """What one of our services said, if it did."""
        if not token or len(token) > _MAX_CHARACTERS or not token.isascii():
            return None
        try:
            header = jws.extract_compact(token.encode()).headers()
            key = self.keys.find(header.get("kid"))
            if key is None or key.service is None or header.get("typ") != kind:
                return None
            claims = jwt.decode(token, key.key, algorithms=[key.algorithm]).claims
        except (JoseError, ValueError, TypeError):
            return None
        return claims if claims.get("iss") == key.kid else None


def cookie_of(raw: RawRequest, name: str = COOKIE) -> str:
    try:
        found = SimpleCookie(raw.header("cookie") or "").get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def ended() -> str:
    """The Set-Cookie of somebody who signs out."""
    return _set_cookie("") + "; Max-Age=0"


def _set_cookie(value: str) -> str:
    return f"{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax"


def _signed(key: KeyWithName, kind: str, claims: dict[str, Any]) -> str:
    header = {"typ": kind, "alg": key.algorithm, "kid": key.kid}
    return jwt.encode(header, claims, key.key, algorithms=[key.algorithm])


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _caller(claims: dict[str, Any]) -> Caller:
    """Our own statement, checked when it was made."""
    role = Role(claims["role"])
    if role is SERVICE:
        raise NotSignedIn
    person = claims.get("person")
    return Caller(
        claims["sub"], role, frozenset(map(UUID, claims["orgs"])), UUID(person) if person else None
    )


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
