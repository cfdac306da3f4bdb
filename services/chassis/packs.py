"""Data that somebody answers for by a signature: read as signed, or not at all (RFC 7515)."""

import json
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from services.chassis.http.keys import KeyWithName, PublicKeys


class WrongPack(ValueError):
    """Text says what is wrong with the pack."""


def is_pack(text: str) -> bool:
    """Whether it has a pack's form; JSON has not."""
    return text.count(".") == 2 and not text.lstrip().startswith("{")


def sign(content: Any, key: KeyWithName, *, kind: str) -> str:
    header = {"alg": key.algorithm, "kid": key.kid, "typ": _type(kind)}
    payload = json.dumps(content, sort_keys=True).encode()
    return jws.serialize_compact(header, payload, key.key, algorithms=[key.algorithm])


def read(text: str, keys: PublicKeys | None, *, kind: str) -> tuple[Any, str]:
    """The content, and the name of the key that signed it; raise WrongPack."""
    try:
        header = jws.extract_compact(text.strip().encode()).headers()
    except (JoseError, ValueError, TypeError):
        raise WrongPack("not a signed pack") from None
    if header.get("typ") != _type(kind):
        raise WrongPack("a pack of another kind")
    key = keys.find(header.get("kid")) if keys else None
    if key is None:
        raise WrongPack("signed by nobody whose signature counts here")
    try:
        signed = jws.deserialize_compact(text.strip(), key.key, algorithms=[key.algorithm])
        return json.loads(signed.payload), key.kid
    except (JoseError, ValueError, TypeError):
        raise WrongPack("changed since it was signed") from None


def _type(kind: str) -> str:
    return f"{kind}+jws"
