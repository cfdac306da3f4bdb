"""Signing keys: who holds which, the public ones in one file that is read again when it changes."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

Key = ECKey | OKPKey

# The algorithm follows from our key, never from a token: RFC 8725 section 3.1.
_KEY_TYPES: Mapping[tuple[str, str], tuple[type[Key], str]] = {
    ("OKP", "Ed25519"): (OKPKey, "Ed25519"),
    ("EC", "P-256"): (ECKey, "ES256"),
}

ISSUER = "issuer"
_SERVICE = "service:"


class WrongKey(ValueError):
    """A key file does not hold what it should; its text names the file, never a key."""


@dataclass(frozen=True)
class KeyWithName:
    """One key, private or public, and the name that says whose it is."""

    kid: str
    key: Key
    algorithm: str

    @classmethod
    def read(cls, jwk: Mapping[str, Any]) -> "KeyWithName":
        try:
            kind, algorithm = _KEY_TYPES[jwk["kty"], jwk["crv"]]
            return cls(str(jwk["kid"]), kind.import_key(dict(jwk)), algorithm)
        except (KeyError, TypeError, ValueError, JoseError):
            raise WrongKey("not an Ed25519 or P-256 key with a kid") from None

    @property
    def service(self) -> str | None:
        """The service that signs with it; None for a key that speaks for people."""
        return self.kid.removeprefix(_SERVICE) if self.kid.startswith(_SERVICE) else None

    def public(self) -> dict[str, Any]:
        return {**self.key.as_dict(private=False), "kid": self.kid}

    def private(self) -> dict[str, Any]:
        return {**self.key.as_dict(private=True), "kid": self.kid}


def new_key(kid: str) -> KeyWithName:
    return KeyWithName(kid, OKPKey.generate_key("Ed25519"), "Ed25519")


def kid_of(service: str) -> str:
    return f"{_SERVICE}{service}"


def read_private_key(path: Path) -> KeyWithName:
    """Read one private JWK."""
    try:
        key = KeyWithName.read(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise WrongKey(f"{path.name}: {_reason(error)}") from None
    if not key.key.is_private:
        raise WrongKey(f"{path.name}: not a private key")
    return key


def write_private_key(path: Path, key: KeyWithName) -> None:
    """Write one private JWK that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(key.private(), file)


def key_set(keys: Iterable[KeyWithName]) -> str:
    """The JWKS file that every service reads."""
    return json.dumps({"keys": [key.public() for key in keys]}, indent=1)


class PublicKeys:
    """The keys of a JWKS file by kid; an unreadable change keeps the keys known before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # In this order: what changes while it is read is read again.
        self._seen, self._keys = self._stamp(), self._read()

    def find(self, kid: object) -> KeyWithName | None:
        stamp = self._stamp()
        if stamp not in (self._seen, None):
            try:
                self._keys, self._seen = self._read(), stamp
            except WrongKey:
                self._seen = stamp
        return self._keys.get(kid) if isinstance(kid, str) else None

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> dict[str, KeyWithName]:
        try:
            keys = [KeyWithName.read(jwk) for jwk in json.loads(self.path.read_bytes())["keys"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WrongKey(f"{self.path.name}: {_reason(error)}") from None
        return {key.kid: key for key in keys}


def _reason(error: Exception) -> str:
    """What went wrong, without text that may quote the file."""
    return str(error) if isinstance(error, WrongKey) else type(error).__name__
