"""The document of a service: valid, and complete."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.chassis.http.openapi import document
from services.chassis.service import Page, Route
from tests.integration.chassis.post import Post


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return document(Post)


def operation(told: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = told["paths"][path][method.lower()]
    return found


def test_the_document_is_valid(told: dict[str, Any]) -> None:
    assert told["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(told).iter_errors()] == []


def test_every_route_and_page_is_in_it(told: dict[str, Any]) -> None:
    described = {
        (method.upper(), path)
        for path, operations in told["paths"].items()
        for method in operations
        if method != "parameters"
    }

    routes = {(one.method, f"/api/matching{one.path}") for one in Post.declared(Route)}
    pages = {(one.method, one.path) for one in Post.declared(Page)}
    assert described == routes | pages


def test_every_route_names_its_roles_and_the_token(told: dict[str, Any]) -> None:
    for route in Post.declared(Route):
        found = operation(told, route.method, f"/api/matching{route.path}")

        assert found["x-roles"] == sorted(route.roles)
        assert found["security"] == [{"token": []}]


def test_every_problem_of_a_guarded_write_is_in_it(told: dict[str, Any]) -> None:
    found = operation(told, "PATCH", "/api/matching/parcels/{parcel_id}")

    refusals = {400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 500, 503}
    assert set(found["responses"]) == {"200", *map(str, refusals)}
    parameters = {parameter["$ref"].rpartition("/")[2] for parameter in found["parameters"]}
    assert parameters == {"IdempotencyKey", "IfMatch"}


def test_a_list_is_described_with_its_query_and_next_page(told: dict[str, Any]) -> None:
    found = operation(told, "GET", "/api/matching/parcels")

    assert {one["name"] for one in found["parameters"]} == {"cursor", "limit", "label"}
    answer = found["responses"]["200"]
    assert "Link" in answer["headers"]
    items = answer["content"]["application/json"]["schema"]["properties"]["items"]
    assert items["items"] == {"$ref": "#/components/schemas/Parcel"}


def test_a_body_refuses_what_it_does_not_name(told: dict[str, Any]) -> None:
    schemas = told["components"]["schemas"]

    assert schemas["NewParcel"]["additionalProperties"] is False
    assert schemas["NewParcel"]["required"] == ["label"]
    assert schemas["Line"]["properties"]["text"]["maxLength"] == 20


def test_ids_in_paths_are_uuids(told: dict[str, Any]) -> None:
    (parameter,) = told["paths"]["/api/matching/parcels/{parcel_id}"]["parameters"]

    assert parameter["schema"] == {"type": "string", "format": "uuid"}
