"""What is read from the wire, and what is named as wrong."""

from typing import Any

import pytest
from marshmallow import ValidationError

from services.matching.schemas.heard import NeedsSchema, ReferralSchema
from services.matching.schemas.peers import NewPeerSchema

PEER: dict[str, Any] = {
    "display_name": "Ana",
    "email": "ana@example.org",
    "languages": ["es-MX"],
    "postal_code": "74047-1234",
    "modes": ["video"],
    "capacity": 2,
    "certified_until": "2027-01-01",
    "time_zone": "America/Chicago",
}


def problems(**facts: Any) -> set[str]:
    return set(NewPeerSchema().validate({**PEER, **facts}))


def test_a_peer_needs_little() -> None:
    assert problems() == set()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("postal_code", "99999-"),
        ("postal_code", "00000"),
        ("time_zone", "America/Nowhere"),
        ("time_zone", "../etc/passwd"),
        ("time_zone", "America.Indiana/Knox"),
        ("time_zone", ""),
        ("languages", []),
        ("languages", ["x" * 40]),
        ("modes", ["fax"]),
        ("capacity", -1),
        ("capacity", True),
        ("capacity", 1.5),
        ("certified_until", "soon"),
        ("phone", "call me"),
        ("email", "nobody"),
        ("display_name", ""),
        ("state", "active"),
    ],
)
def test_what_cannot_be_right_is_named(field: str, value: Any) -> None:
    assert problems(**{field: value}) == {field}


def test_a_peer_whom_nobody_can_reach_is_not_added() -> None:
    assert problems(email=None) == {"email"}


def test_what_referrals_adds_to_an_event_is_not_read() -> None:
    facts = {"referral_id": "6f1d2a1e-3c57-4b9c-9a40-0d7f6b6f3f10"}
    facts |= {"clinic_id": "d34f6425-71e9-5249-ae15-e50c51608709", "later": "more"}

    assert set(ReferralSchema().load(facts)) == {"referral_id", "clinic_id"}


def test_a_need_without_what_ranking_rests_on_is_not_read() -> None:
    with pytest.raises(ValidationError):
        NeedsSchema().load({"needs": [{"languages": ["en"]}]})
