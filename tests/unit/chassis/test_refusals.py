"""Secrets that somebody else may know start nothing outside the demo."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from services.chassis.http.keys import ISSUER, key_set, kid_of, new_key
from services.chassis.refusals import Refusal, require_own_secrets
from services.chassis.settings import Settings

Make = Callable[..., Settings]


@pytest.fixture
def settings(tmp_path: Path) -> Make:
    """Settings as in earnest; each may be replaced."""

    def make(*, issuer: str = "the provider's", **replaced: str) -> Settings:
        keys = tmp_path / "keys.json"
        keys.write_text(key_set([new_key(issuer), new_key(kid_of("matching"))]))
        password = secrets.token_hex(16)
        return Settings.from_environment(
            {
                "KINDRED_DATABASE": f"postgresql://matching:{password}@db.internal/matching",
                "KINDRED_BROKER": f"amqp://matching:{password}@mq.internal/kindred",
                "KINDRED_TOKEN_KEYS": str(keys),
                "KINDRED_SERVICE_KEY": str(tmp_path / "key.json"),
                "KINDRED_LINK_KEY": secrets.token_hex(32),
                "KINDRED_TOPOLOGY": str(tmp_path / "topology.json"),
                "KINDRED_PUBLIC_URL": "https://kindred.example",
                **{f"KINDRED_{name}": value for name, value in replaced.items()},
            }
        )

    return make


def test_secrets_of_ones_own_are_taken(settings: Make) -> None:
    require_own_secrets(settings())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("DATABASE", "postgresql://matching:matching@db.internal/matching"),
        ("DATABASE", "host=db.internal user=matching password=Changeme"),
        ("BROKER", "amqp://guest:2f9a41c07be3@mq.internal/kindred"),
        ("BROKER", "amqp://mq.internal/kindred"),
        ("BROKER", "amqp://matching:secret@mq.internal/kindred"),
        ("BROKER", "amqp://matching:2f9a41c07be3@one.internal/k;amqp://matching:guest@two/k"),
        ("LINK_KEY", "0" * 64),
        ("LINK_KEY", "a link key for tests, 32 characters long"),
    ],
)
def test_a_secret_that_everybody_knows_is_refused(settings: Make, setting: str, value: str) -> None:
    with pytest.raises(Refusal, match=rf"^Wrong secrets: KINDRED_{setting} [^;]+$") as refusal:
        require_own_secrets(settings(**{setting: value}))

    assert value not in str(refusal.value)


def test_the_demos_issuer_is_refused_unless_this_is_the_demo(settings: Make) -> None:
    with pytest.raises(Refusal, match="the demo's issuer"):
        require_own_secrets(settings(issuer=ISSUER))

    demo = {"DEMO": "1", "PUBLIC_URL": "http://127.0.0.1:8080"}
    require_own_secrets(settings(issuer=ISSUER, **demo))


def test_the_demo_stays_on_loopback(settings: Make) -> None:
    with pytest.raises(Refusal, match="loopback"):
        require_own_secrets(settings(DEMO="1"))


def test_all_that_is_wrong_is_said_at_once(settings: Make) -> None:
    wrong = {"LINK_KEY": "0" * 64, "BROKER": "amqp://guest:guest@mq.internal/kindred"}

    with pytest.raises(Refusal, match=r"KINDRED_BROKER .*; KINDRED_LINK_KEY "):
        require_own_secrets(settings(**wrong))
