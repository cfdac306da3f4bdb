"""What each broker user may do."""

import base64
import hashlib
import re

import pytest

from deploy.machine.rabbitmq_definitions import definitions

LOADED = definitions("secret of the deployer", {"matching": "secret of matching"})


def rights(user: str) -> dict[str, str]:
    return next(entry for entry in LOADED["permissions"] if entry["user"] == user)


def may(user: str, what: str, resource: str) -> bool:
    return re.search(rights(user)[what], resource) is not None


@pytest.mark.parametrize(
    ("what", "resource"),
    [
        ("configure", "matching.events"),
        ("configure", "matching.referral"),
        ("write", "referrals.events"),
        ("write", "matching.referral"),
        ("write", "xmatching.events"),
        ("read", "scheduling.match"),
        ("read", "matchingx.match"),
    ],
)
def test_a_service_is_refused_what_is_not_its_own(what: str, resource: str) -> None:
    assert not may("matching", what, resource)


def test_a_service_writes_to_its_exchange_and_reads_its_queues() -> None:
    assert may("matching", "write", "matching.events")
    assert may("matching", "read", "matching.referral")


def test_there_is_no_guest() -> None:
    assert {user["name"] for user in LOADED["users"]} == {"deployer", "matching"}


def test_passwords_are_stored_hashed_with_their_salt() -> None:
    user = next(user for user in LOADED["users"] if user["name"] == "matching")
    stored = base64.b64decode(user["password_hash"])

    assert stored[4:] == hashlib.sha256(stored[:4] + b"secret of matching").digest()
    assert "secret of matching" not in str(LOADED)
