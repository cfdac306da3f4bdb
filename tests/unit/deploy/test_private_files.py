"""Secrets are made once and readable by their owner only."""

import json
import stat
from pathlib import Path

from deploy.machine.private_files import Secrets, key_file, key_set_file, make_keys


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_the_same_at_every_start(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"

    first, again = Secrets(path).of("postgres"), Secrets(path).of("postgres")

    assert first == again
    assert len(first) >= 32
    assert Secrets(path).of("rabbitmq") != first


def test_secrets_and_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    Secrets(tmp_path / "secrets.json").of("postgres")
    make_keys(tmp_path, ["matching"])

    private = ["secrets.json", "issuer.json", "service-matching.json"]
    assert {mode(tmp_path / name) for name in private} == {0o600}


def test_the_key_set_holds_no_private_part(tmp_path: Path) -> None:
    make_keys(tmp_path, ["matching"])

    keys = json.loads(key_set_file(tmp_path).read_text())["keys"]

    assert {key["kid"] for key in keys} == {"issuer", "service:matching"}
    assert not any("d" in key for key in keys)


def test_keys_stay_the_same_at_the_next_start(tmp_path: Path) -> None:
    make_keys(tmp_path, ["matching"])
    before = key_file(tmp_path, "issuer").read_text()

    make_keys(tmp_path, ["matching", "scheduling"])

    assert key_file(tmp_path, "issuer").read_text() == before
