"""Secrets of one machine's system: passwords, and the keys that sign tokens."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from deploy.machine.run_folder import read_json, write_atomically, write_json
from services.chassis.http import keys

_SECRET_BYTES = 32
PACKS = "packs"


class Secrets:
    """Random strings by name, made once and kept in a file that only its owner reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, str] = read_json(path)

    def of(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = secrets.token_hex(_SECRET_BYTES)
            write_json(self.path, self._known)
        return self._known[name]


def key_file(folder: Path, kid: str) -> Path:
    return folder / f"{kid.replace(':', '-')}.json"


def key_set_file(folder: Path) -> Path:
    return folder / "jwks.json"


def pack_key_set_file(folder: Path) -> Path:
    """Whose signatures on packs count; apart from the keys of tokens, which sign for people."""
    return folder / "packs.jwks.json"


def make_keys(folder: Path, services: Iterable[str]) -> None:
    """Make the Ed25519 keys that are missing, and write the public ones for all to read."""
    packs = [_make_key(folder, PACKS)]
    write_atomically(pack_key_set_file(folder), keys.key_set(packs), mode=0o644)
    made = [_make_key(folder, kid) for kid in (keys.ISSUER, *map(keys.kid_of, services))]
    write_atomically(key_set_file(folder), keys.key_set(made), mode=0o644)


def _make_key(folder: Path, kid: str) -> keys.KeyWithName:
    path = key_file(folder, kid)
    if not path.exists():
        keys.write_private_key(path, keys.new_key(kid))
    return keys.read_private_key(path)
