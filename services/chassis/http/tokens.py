"""Bearer tokens: what makes one valid, and whom it speaks for (RFC 7519, 8725, 9068)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError

from services.chassis.http.keys import KeyWithName, PublicKeys
from services.chassis.http.request import Caller
from services.chassis.roles import CLIENT, PEER, SERVICE, Role
from services.chassis.work import Clock, system_clock

AUDIENCE = "kindred"
SERVICE_TOKEN_SECONDS = 60

_LEEWAY_SECONDS = 30
# Callers ask again and again with one token, so its signature is checked once; of more tokens
# than this at a time, all are checked again.
_MOST_KNOWN = 1024
_REUSED = timedelta(seconds=SERVICE_TOKEN_SECONDS / 2)
_MAX_CHARACTERS = 8192
_TYPES = frozenset({"at+jwt", "JWT"})  # RFC 9068's, and what many providers still write


class InvalidToken(Exception):
    """Text says which rule, never what the token holds."""


@dataclass(frozen=True)
class Known:
    """A token that was found valid, and what may make it invalid later."""

    caller: Caller
    key: KeyWithName
    expires: int


@dataclass(frozen=True)
class Verifier:
    """Decides whether a token speaks for somebody, at the service that was called."""

    keys: PublicKeys
    issuer: str
    service: str
    _known: dict[bytes, Known] = field(init=False, default_factory=dict, repr=False, compare=False)

    def verify(self, token: str, now: datetime) -> Caller:
        """Whom the token speaks for; raise InvalidToken."""
        digest = sha256(token.encode(errors="replace")).digest()
        known = self._known.get(digest)
        if known is None or not self._is_still_valid(known, now):
            known = self._check(token, now)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[digest] = known
        return known.caller

    def _is_still_valid(self, known: Known, now: datetime) -> bool:
        """Until it expires, or its key is taken out of the file or replaced."""
        is_running = int(now.timestamp()) - _LEEWAY_SECONDS < known.expires
        return is_running and self.keys.find(known.key.kid) is known.key

    def _check(self, token: str, now: datetime) -> Known:
        key = self._key_of(token)
        try:
            claims = jwt.decode(token, key.key, algorithms=[key.algorithm]).claims
            self._rules(key, now).validate(claims)
        except ExpiredTokenError:
            raise InvalidToken("The token has expired.") from None
        except (JoseError, ValueError, TypeError):
            raise InvalidToken("The token is not valid here.") from None
        caller = _service(key.service, claims) if key.service else person_of(claims)
        return Known(caller, key, int(claims["exp"]))

    def _key_of(self, token: str) -> KeyWithName:
        if len(token) > _MAX_CHARACTERS or not token.isascii():
            raise InvalidToken("The token cannot be read.")
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError):
            raise InvalidToken("The token cannot be read.") from None
        key, kind = self.keys.find(header.get("kid")), header.get("typ")
        if key is None or not isinstance(kind, str) or kind not in _TYPES:
            raise InvalidToken("The token is not valid here.")
        return key

    def _rules(self, key: KeyWithName, now: datetime) -> jwt.JWTClaimsRegistry:
        """A service's token is good at one service; a person's at all of them."""
        issuer = key.kid if key.service else self.issuer
        audience = audience_of(self.service) if key.service else AUDIENCE
        return jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            role={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )


@dataclass(frozen=True)
class ServiceIdentity:
    """A service's own name and key."""

    key: KeyWithName
    clock: Clock = system_clock
    _made: dict[str, tuple[datetime, str]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        return self.key.service or ""

    def token_for(self, owner: str) -> str:
        """A token that only this owner accepts, for a minute from when it was made."""
        now = self.clock()
        made_at, token = self._made.get(owner, (now, ""))
        if not token or not timedelta(0) <= now - made_at < _REUSED:
            claims = {"iss": self.key.kid, "sub": self.name, "aud": audience_of(owner)}
            token = _sign(self.key, claims | {"role": SERVICE}, now, SERVICE_TOKEN_SECONDS)
            self._made[owner] = now, token
        return token


def issue(
    key: KeyWithName, caller: Caller, *, issuer: str, now: datetime, lifetime_seconds: int = 600
) -> str:
    """A person's token, as only the demo's issuer signs it; elsewhere an identity provider does."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": caller.subject,
        "role": caller.role,
        "orgs": sorted(map(str, caller.orgs)),
    }
    if caller.person is not None:
        claims["person"] = str(caller.person)
    return _sign(key, claims, now, lifetime_seconds)


def audience_of(service: str) -> str:
    return f"{AUDIENCE}:{service}"


def _sign(key: KeyWithName, claims: dict[str, Any], now: datetime, seconds: int) -> str:
    header = {"typ": "at+jwt", "alg": key.algorithm, "kid": key.kid}
    issued = int(now.astimezone(UTC).timestamp())
    claims = claims | {"iat": issued, "exp": issued + seconds}
    return jwt.encode(header, claims, key.key, algorithms=[key.algorithm])


def _service(name: str, claims: dict[str, Any]) -> Caller:
    """A service's key speaks for that service only, and never for long."""
    lasts = claims["exp"] - claims["iat"]
    if claims["role"] != SERVICE or claims["sub"] != name or lasts > 2 * SERVICE_TOKEN_SECONDS:
        raise InvalidToken("The token is not valid here.")
    return Caller(name, SERVICE)


def person_of(claims: dict[str, Any]) -> Caller:
    """Whom a valid statement speaks for; raise InvalidToken where it does not say so."""
    try:
        caller = Caller(
            subject=claims["sub"],
            role=Role(claims["role"]),
            orgs=frozenset(map(_uuid, _list(claims.get("orgs", [])))),
            person=_uuid(claims["person"]) if "person" in claims else None,
        )
    except (ValueError, TypeError):
        raise InvalidToken("The token's claims cannot be read.") from None
    needs_person = caller.role in (PEER, CLIENT) and caller.person is None
    if not caller.subject or caller.role is SERVICE or needs_person:
        raise InvalidToken("The token's claims cannot be read.")
    return caller


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _uuid(value: object) -> UUID:
    if not isinstance(value, str):
        raise TypeError("not a UUID's text")
    return UUID(value)
