"""Reading a request's parts by their schemas: every problem is found, each named by its field."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from marshmallow import Schema, ValidationError, fields
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from services.chassis.http.json_body import can_be_stored, read_bytes, require_type
from services.chassis.http.raw import RawRequest
from services.chassis.http.request import Form
from services.chassis.problems import BadRequest, NotFound, TooLarge

LANGUAGES = ("en", "es")
FORM_TYPE = "application/x-www-form-urlencoded"
FILES_TYPE = "multipart/form-data"
MAX_FORM_BYTES = 16 * 1024

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MAX_PAIRS = 100
_MAX_PARAMETER = 200
_PREFERENCE = re.compile(r"\s*([a-z]{2})(?:-[\w-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*", re.I)


class NoFields(Schema):
    """For what a route does not read: anything sent is unknown, and said to be."""


@cache
def schema_of(declared: type[Schema] | None) -> Schema:
    """The one schema of a kind: to make one takes longer than to read a request by it."""
    return (declared or NoFields)()


def read_path(parameters: Mapping[str, str]) -> dict[str, Any]:
    """The path's parameters: a UUID where the name ends in `id`; what is none leads nowhere."""
    return {name: _parameter(name, text) for name, text in parameters.items()}


def read_query(query: str, schema: Schema, errors: dict[str, list[str]]) -> Mapping[str, Any]:
    """The query by its schema; a field that is no list may be given once."""
    given: dict[str, Any] = {}
    for name, value in _pairs(query):
        if isinstance(schema.fields.get(name), fields.List):
            given.setdefault(name, []).append(value)
        elif name in given:
            errors[name] = ["Given twice."]
        else:
            given[name] = value
    loaded: Mapping[str, Any] = load(schema, given, "query", errors)
    return loaded


def read_form(raw: RawRequest, file_bytes: int = 0) -> Form:
    """The fields of a page's form; a file's is its content in base64, as the API takes it."""
    content = read_bytes(raw, MAX_FORM_BYTES + file_bytes)
    if not content:
        return Form()
    kind, options = parse_options_header(raw.header("content-type"))
    if file_bytes and kind == FILES_TYPE:
        return Form(_parts(content, options.get("boundary", "")))
    require_type(raw, FORM_TYPE)
    return Form(_pairs(content.decode("ascii", errors="replace")))


def _parts(content: bytes, boundary: str) -> list[tuple[str, str]]:
    parser = MultiPartParser(
        stream_factory=lambda *_, **__: BytesIO(),  # people's papers lie in no temporary file
        buffer_size=MAX_FORM_BYTES // 4,  # what is in it counts as fields, a file's piece too
        max_form_memory_size=MAX_FORM_BYTES,
        max_form_parts=_MAX_PAIRS,
    )
    try:
        fields, files = parser.parse(BytesIO(content), boundary.encode(), len(content))
    except RequestEntityTooLarge:
        raise TooLarge(MAX_FORM_BYTES) from None
    except ValueError:
        raise BadRequest(detail="The form's parts cannot be read.") from None
    pairs = list(fields.items(multi=True))
    pairs += [(name, b64encode(file.read()).decode()) for name, file in files.items(multi=True)]
    _require_storable(pairs)
    return pairs


def load(schema: Schema, given: Any, whole: str, errors: dict[str, list[str]]) -> Any:
    """What the schema reads; problems go into `errors` by dotted path, `whole` naming the top."""
    try:
        return schema.load(given)
    except ValidationError as error:
        for path, messages in flatten(error.messages, "", whole):
            errors.setdefault(path, []).extend(messages)
        return {}


def flatten(messages: Any, path: str, whole: str) -> Iterator[tuple[str, list[str]]]:
    """marshmallow's nested messages as dotted paths, such as `client.languages.0`."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            below = path if name == "_schema" else f"{path}.{name}" if path else str(name)
            yield from flatten(inner, below, whole)
    else:
        listed = messages if isinstance(messages, list) else [messages]
        yield path or whole, [str(message) for message in listed]


def language_of(accept_language: str | None) -> str:
    """The language the reader likes best of those we speak."""
    best, best_weight = LANGUAGES[0], 0.0
    for part in (accept_language or "").split(","):
        preference = _PREFERENCE.fullmatch(part)
        if preference and preference[1].lower() in LANGUAGES:
            weight = float(preference[2] or 1)
            if weight > best_weight:
                best, best_weight = preference[1].lower(), weight
    return best


def _parameter(name: str, text: str) -> Any:
    if name.endswith("id"):
        if not _UUID.fullmatch(text):
            raise NotFound
        return UUID(text)
    if len(text) > _MAX_PARAMETER or not can_be_stored(text):
        raise NotFound
    return text


def _pairs(encoded: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            encoded, keep_blank_values=True, errors="strict", max_num_fields=_MAX_PAIRS
        )
    except ValueError:
        raise BadRequest(detail="The query or form is not URL-encoded UTF-8.") from None
    _require_storable(pairs)
    return pairs


def _require_storable(pairs: Iterable[tuple[str, str]]) -> None:
    if not all(can_be_stored(name) and can_be_stored(value) for name, value in pairs):
        raise BadRequest(detail="The query or form has a character that cannot be kept.")
