"""The events' fields in words, and the AsyncAPI 3.0 document with their JSON schemas."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

from deploy.events_catalogue import Published, Queue

_ATTRIBUTES = ("specversion", "id", "source", "type", "time", "subject", "sequence")
_EXTENSIONS = ("org", "clinicorg", "traceparent", "versions")

_KINDS: tuple[tuple[type[fields.Field[Any]], str], ...] = (
    (fields.UUID, "UUID"),
    (fields.DateTime, "time, RFC 3339 in UTC"),
    (fields.Date, "date"),
    (fields.Boolean, "true or false"),
    (fields.Integer, "whole number"),
    (fields.String, "text"),
)


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    may_be_null: bool


def fields_of(schema: type[Schema]) -> list[Field]:
    """A schema's fields in the order written, each in plain words."""
    return [Field(name, _kind(field), field.allow_none) for name, field in schema().fields.items()]


def _kind(field: fields.Field[Any]) -> str:
    if isinstance(field, fields.List):
        return f"list of {_kind(field.inner)}"
    words = next((words for kind, words in _KINDS if isinstance(field, kind)), "object")
    codes = _codes(field)
    return " / ".join(f"`{code}`" for code in codes) if codes else words


def _codes(field: fields.Field[Any]) -> list[str]:
    for validator in field.validators:
        if isinstance(validator, validate.OneOf):
            return [str(choice) for choice in validator.choices]
    return []


def asyncapi(published: Sequence[Published], queues: Sequence[Queue]) -> dict[str, Any]:
    """The whole document: a channel for each type of event and for each queue."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kindred events",
            "version": "1",
            "description": "CloudEvents 1.0 in binary mode over AMQP 0.9.1.",
        },
        "defaultContentType": "application/json",
        "channels": {
            **{event.name: _event_channel(event) for event in published},
            **{queue.name: _queue_channel(queue, published) for queue in queues},
        },
        "operations": {
            **{f"send-{event.name}": _send(event) for event in published},
            **{f"receive-{queue.name}": _receive(queue) for queue in queues},
        },
        "components": {
            "messages": {event.name: _message(event) for event in published},
            "schemas": {
                "headers": _headers(),
                **{event.name: json_schema(event.schema) for event in published},
            },
        },
    }


def json_schema(schema: type[Schema]) -> dict[str, Any]:
    """A schema as JSON Schema; consumers read tolerantly, so more fields may come."""
    document = APISpec(title="events", version="1", openapi_version="3.1.0")
    converter = OpenAPIConverter("3.1.0", schema_name_resolver=lambda _: "", spec=document)
    found: dict[str, Any] = converter.schema2jsonschema(schema())
    plain: dict[str, Any] = json.loads(json.dumps(found))  # codes of enums as the text they are
    return {**plain, "additionalProperties": True}


def _headers() -> dict[str, Any]:
    named = [f"cloudEvents:{name}" for name in (*_ATTRIBUTES, *_EXTENSIONS)]
    required = [f"cloudEvents:{name}" for name in _ATTRIBUTES]
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in named},
        "required": required,
    }


def _event_channel(event: Published) -> dict[str, Any]:
    exchange = {"name": event.exchange, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": event.name,
        "messages": {event.name: {"$ref": f"#/components/messages/{event.name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _queue_channel(queue: Queue, published: Sequence[Published]) -> dict[str, Any]:
    queued = {"name": queue.name, "durable": True, "exclusive": False, "autoDelete": False}
    arriving = [event.name for event in published if queue.name in event.queues]
    return {
        "address": queue.name,
        "description": f"Bound to {queue.exchange} by {queue.binding}; quorum, one consumer.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in arriving},
        "bindings": {"amqp": {"is": "queue", "queue": queued, "bindingVersion": "0.3.0"}},
    }


def _send(event: Published) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{event.name}"},
        "tags": [{"name": event.producer}],
        "messages": [{"$ref": f"#/channels/{event.name}/messages/{event.name}"}],
    }


def _receive(queue: Queue) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{queue.name}"},
        "tags": [{"name": queue.consumer}],
        "messages": [
            {"$ref": f"#/channels/{queue.name}/messages/{name}"} for name in queue.handled
        ],
    }


def _message(event: Published) -> dict[str, Any]:
    return {
        "name": event.name,
        "contentType": "application/json",
        **({"summary": event.meaning} if event.meaning else {}),
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {"$ref": f"#/components/schemas/{event.name}"},
    }
