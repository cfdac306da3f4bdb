"""Signing in at an OpenID Connect provider: the authorisation code flow with PKCE, and logout.

OpenID Connect Core 1.0 and Discovery 1.0, RP-Initiated Logout 1.0, RFC 7636 (PKCE, S256),
RFC 9207 (the issuer in the answer). What has to be known again when the browser comes back lies in
a cookie of ten minutes; nothing is kept on the server.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import urllib3
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.chassis.errors import OwnerAway
from services.chassis.http.request import Caller
from services.chassis.http.tokens import InvalidToken, person_of

CALLBACK: Final = "/sign-in/callback"
SCOPE: Final = "openid"
# Asymmetric only: with a shared secret, whoever may check could also sign.
ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")

_TIMEOUT_SECONDS = 3.0
_MAX_ANSWER_BYTES = 1024 * 1024
_LEEWAY_SECONDS = 30
_KEPT = timedelta(minutes=10)
_PROVIDER = "identity-provider"


class NotLetIn(Exception):
    """Nobody is signed in; the text says which rule, never what the provider said."""


@dataclass(frozen=True)
class Client:
    """We, as the provider knows us; without a secret, a public client that PKCE alone protects."""

    issuer: str
    client_id: str
    secret: str | None = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True)
class Begun:
    """Where the browser goes now, and what has to be known when it comes back."""

    location: str
    remembered: Mapping[str, str]


@dataclass
class Provider:
    """One provider, whose configuration and keys are read again every ten minutes."""

    client: Client
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(num_pools=4, maxsize=4, retries=False)
    )
    _configuration: dict[str, Any] | None = None
    _keys: KeySet | None = None
    _read_at: datetime | None = None

    def begin(self, then: str, now: datetime) -> Begun:
        """Raise OwnerAway where the provider cannot be asked."""
        remembered = {name: token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = urlsafe_b64encode(sha256(remembered["verifier"].encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": SCOPE,
            "state": remembered["state"],
            "nonce": remembered["nonce"],
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint", now)
        return Begun(_with_query(endpoint, asked), {**remembered, "then": then})

    def finish(
        self, answer: Mapping[str, str | None], remembered: Mapping[str, Any], now: datetime
    ) -> Caller:
        """Who the provider says it is; raise NotLetIn, or OwnerAway where it cannot be asked."""
        if not compare_digest(answer.get("state") or "", remembered["state"]):
            raise NotLetIn("This answer belongs to no sign-in of this browser.")
        if answer.get("iss") not in (None, self.client.issuer):
            raise NotLetIn("The answer is another provider's.")
        code = answer.get("code")
        if not code:
            raise NotLetIn("The provider let nobody in.")
        token = self._token(code, remembered["verifier"], now)
        claims = self._claims(token, remembered["nonce"], now)
        try:
            return person_of(claims)
        except (InvalidToken, KeyError):
            raise NotLetIn("The account has no role here.") from None

    def end(self, back: str, now: datetime) -> str | None:
        """Where one signs out at the provider as well; None where it has no such page."""
        if "end_session_endpoint" not in self._configured(now):
            return None
        endpoint = self._endpoint("end_session_endpoint", now)
        told = {"client_id": self.client.client_id, "post_logout_redirect_uri": back}
        return _with_query(endpoint, told)

    def _token(self, code: str, verifier: str, now: datetime) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self.client.secret is None:
            form["client_id"] = self.client.client_id
        else:  # RFC 6749, section 2.3.1: both parts are form-encoded first
            pair = f"{quote(self.client.client_id, safe='')}:{quote(self.client.secret, safe='')}"
            headers |= urllib3.make_headers(basic_auth=pair)
        status, told = self._ask("POST", self._endpoint("token_endpoint", now), headers, form)
        if status != 200 or not isinstance(told.get("id_token"), str):
            raise NotLetIn("The provider did not take the code.")
        token: str = told["id_token"]
        return token

    def _claims(self, token: str, nonce: str, now: datetime) -> dict[str, Any]:
        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": self.client.issuer},
            aud={"essential": True, "value": self.client.client_id},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        try:
            claims: dict[str, Any] = self._decoded(token, now).claims
            rules.validate(claims)
        except (JoseError, ValueError, TypeError):
            raise NotLetIn("The provider's statement is not valid here.") from None
        audience = claims["aud"]
        is_ours_alone = isinstance(audience, str) or len(audience) == 1
        if claims.get("azp", self.client.client_id) != self.client.client_id or (
            not is_ours_alone and "azp" not in claims
        ):
            raise NotLetIn("The provider's statement is meant for somebody else.")
        return claims

    def _decoded(self, token: str, now: datetime) -> jwt.Token:
        """By the keys we know; once more by those of now, for a provider changes them."""
        keys = self._known_keys(now)
        try:
            return jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            self._keys = None
            return jwt.decode(token, self._known_keys(now), algorithms=list(ALGORITHMS))

    def _known_keys(self, now: datetime) -> KeySet:
        if self._keys is None:
            status, told = self._ask("GET", self._endpoint("jwks_uri", now), {})
            try:
                self._keys = KeySet.import_key_set(told)  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError):
                raise OwnerAway(_PROVIDER) from None
            if status != 200:
                raise OwnerAway(_PROVIDER)
        return self._keys

    def _endpoint(self, name: str, now: datetime) -> str:
        """The provider's address for this; without TLS only where it itself stands on loopback."""
        endpoint = self._configured(now).get(name)
        if not isinstance(endpoint, str) or not _is_safe(endpoint):
            raise OwnerAway(_PROVIDER)
        return endpoint

    def _configured(self, now: datetime) -> dict[str, Any]:
        is_old = self._read_at is None or not timedelta(0) <= now - self._read_at < _KEPT
        if self._configuration is None or is_old:
            address = f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration"
            status, told = self._ask("GET", address, {})
            if status != 200 or told.get("issuer") != self.client.issuer:
                raise OwnerAway(_PROVIDER)
            self._configuration, self._keys, self._read_at = told, None, now
        return self._configuration

    def _ask(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        try:
            reply = self._pool.request(
                method,
                address,
                body=urlencode(form) if form else None,
                headers={"Accept": "application/json", **headers},
                timeout=urllib3.Timeout(total=_TIMEOUT_SECONDS),
                redirect=False,
                preload_content=False,
            )
            content = reply.read(_MAX_ANSWER_BYTES)
            reply.drain_conn()
            told = json.loads(content)
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            raise OwnerAway(_PROVIDER) from None
        if not isinstance(told, dict):
            raise OwnerAway(_PROVIDER)
        return reply.status, told


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "::1", "localhost")


def _with_query(endpoint: str, pairs: Mapping[str, str]) -> str:
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(pairs)}"
