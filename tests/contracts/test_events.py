"""What a producer writes is what its consumers read, and what the documents say."""

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]

from deploy import docs
from deploy.events_catalogue import Published, catalogue, queues
from deploy.events_schema import json_schema
from deploy.topology import declared_services
from services.chassis.bodies import Body
from services.chassis.service import Consumed
from tests.contracts import generate

EVENTS = {event.name: event for event in catalogue()}
CONSUMED = [
    (service.name, consumed)
    for service in declared_services()
    for consumed in service.declared(Consumed)
]
# What would describe or reach a person must never be a field of an event.
OF_PEOPLE = {
    "access_needs", "address", "age_band", "birth_date", "contact", "display_name", "email",
    "family_name", "given_name", "goal", "languages", "phone", "postal_code", "preferences",
    "preferred_name", "record_number", "secret", "topics", "wishes",
}  # fmt: skip

each_event = pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.name)
each_consumer = pytest.mark.parametrize(
    ("consumer", "consumed"), CONSUMED, ids=[f"{name} reads {one.type}" for name, one in CONSUMED]
)


def example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((generate.EXAMPLES / f"{name}.json").read_text())
    return found


@each_event
def test_the_example_is_what_the_producer_writes_today(event: Published) -> None:
    assert generate.path_of(event).read_text(encoding="utf-8") == generate.text_of(event)


@each_event
def test_the_body_that_leaves_is_what_the_producers_schema_writes(event: Published) -> None:
    body = Body(event.schema()).of(generate.instance_of(event))

    assert json.loads(body) == generate.example_of(event)


def test_every_example_belongs_to_an_event_that_is_published() -> None:
    assert {path.stem for path in generate.EXAMPLES.glob("*.json")} == set(EVENTS)


@each_event
def test_the_example_obeys_the_producers_schema_and_the_published_json_schema(
    event: Published,
) -> None:
    written = example(event.name)

    assert event.schema().validate(written) == {}
    jsonschema.validate(written, json_schema(event.schema))


@each_event
def test_an_event_carries_its_subject_and_its_referral(event: Published) -> None:
    written = example(event.name)

    assert event.subject in written
    if event.aggregate in {"referral", "match", "session", "contact", "notification"}:
        assert "referral_id" in written


@each_event
def test_an_event_says_nothing_that_describes_or_reaches_a_person(event: Published) -> None:
    assert not OF_PEOPLE & set(event.schema().fields)


@each_event
def test_the_name_of_an_event_is_its_aggregate_its_past_tense_and_its_version(
    event: Published,
) -> None:
    aggregate, happened, version = event.name.split(".")

    assert (aggregate.islower(), happened.islower()) == (True, True)
    assert version[0] == "v"
    assert version[1:].isdigit()


@each_consumer
def test_a_consumer_reads_what_the_producer_writes(consumer: str, consumed: Consumed) -> None:
    written = example(consumed.type)

    assert EVENTS[consumed.type].producer == consumed.source
    consumed.schema().load(written)


@each_consumer
def test_a_consumer_is_not_disturbed_by_a_field_that_came_later(
    consumer: str, consumed: Consumed
) -> None:
    written = example(consumed.type) | {"a_field_of_tomorrow": {"more": [1]}}

    consumed.schema().load(written)


def test_a_queue_has_one_producer_and_one_aggregate() -> None:
    for service in declared_services():
        for name, handled in service.queues().items():
            assert len({(one.source, one.aggregate) for one in handled}) == 1, name


def test_docs_events_page_and_asyncapi_document_are_fresh() -> None:
    assert docs.main(["--check"]) == 0


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = yaml.safe_load(docs.asyncapi_document())

    for reference in _references(document):
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]

    assert {queue.name for queue in queues()} <= set(document["channels"])
    assert set(EVENTS) <= set(document["channels"])


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
