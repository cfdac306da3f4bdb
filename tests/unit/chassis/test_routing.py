"""Which declaration answers which path."""

import pytest

from services.chassis.http.routing import Entry, Router
from services.chassis.problems import MethodNotAllowed, NotFound

ROUTER = Router(
    [
        Entry("GET", "/peers/{peer_id}", "read"),
        Entry("PATCH", "/peers/{peer_id}", "change"),
        Entry("GET", "/peers/waiting", "waiting"),
        Entry("POST", "/peers", "add"),
        Entry("POST", "/peers/{peer_id}/offers/{offer_id}", "offer"),
        Entry("GET", "/openapi.json", "document"),
    ]
)


def test_a_path_finds_its_target_and_parameters() -> None:
    found = ROUTER.match("POST", "/peers/7/offers/8")

    assert (found.target, found.parameters) == ("offer", {"peer_id": "7", "offer_id": "8"})


def test_a_literal_segment_wins_over_a_parameter() -> None:
    assert ROUTER.match("GET", "/peers/waiting").target == "waiting"


def test_head_is_answered_where_get_is() -> None:
    assert ROUTER.match("HEAD", "/peers/7").target == "read"


@pytest.mark.parametrize(
    "path", ["", "/", "/peers/", "/peers//", "/peer", "/peers/7/", "/peers/7/8", "/openapiXjson"]
)
def test_an_unknown_path_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        ROUTER.match("GET", path)


def test_an_unknown_method_is_told_what_the_path_allows() -> None:
    with pytest.raises(MethodNotAllowed) as refusal:
        ROUTER.match("DELETE", "/peers/7")

    assert refusal.value.headers["Allow"] == "GET, HEAD, PATCH"


def test_one_declaration_twice_stops_the_start() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        Router([Entry("GET", "/a", 1), Entry("GET", "/a", 2)])
