"""What a body may hold, and how the answer names what it may not."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.http.json_body import MAX_DEPTH, parse_json, read_json
from services.chassis.http.raw import RawRequest
from services.chassis.problems import (
    BadRequest,
    Invalid,
    Problem,
    TooLarge,
    UnsupportedMediaType,
    problem_response,
)

LIMIT = 64 * 1024


def sent(body: bytes, **headers: str) -> RawRequest:
    named = {"content_type": "application/json", "content_length": str(len(body))} | headers
    told = {name.replace("_", "-"): value for name, value in named.items() if value}
    return RawRequest(method="POST", path="/", headers=told, read_body=lambda limit: body[:limit])


def test_a_sound_body_is_read() -> None:
    body = {"name": "José 🙂", "count": 3, "share": 0.5, "none": None, "list": [True]}

    assert read_json(sent(json.dumps(body).encode()), LIMIT) == body


def test_nothing_sent_is_an_empty_object() -> None:
    assert read_json(sent(b"", content_type=""), LIMIT) == {}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'a': 1}",
        b'{"a": 1} x',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 9007199254740993}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 60_000,
    ],
)
def test_what_is_no_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_json(body)

    assert problem_response(refusal.value).status == 400


def test_brackets_in_text_are_not_depth() -> None:
    assert parse_json(json.dumps(["[" * 100, '\\"{{' * 50]).encode())


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"client": {"given_name": "a\\u0000b"}}', "client.given_name"),
        (b'{"languages": ["en", "\\ud800"]}', "languages.1"),
        (b'{"client": {"a\\u0000": 1}}', "client"),
        (b'"\\udfff"', "body"),
    ],
)
def test_text_that_cannot_be_kept_is_named_by_its_field(body: bytes, path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_json(body)

    assert list(refusal.value.errors or {}) == [path]


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse_json(b'"\\ud83d\\ude42"') == "🙂"


@pytest.mark.parametrize("declared", [str(LIMIT + 1), ""])
def test_a_body_above_the_limit_is_refused_with_and_without_its_length(declared: str) -> None:
    request = sent(b'"' + b"a" * LIMIT + b'"', content_length=declared)

    with pytest.raises(TooLarge):
        read_json(request, LIMIT)


def test_a_declared_length_above_the_limit_is_refused_unread() -> None:
    with pytest.raises(TooLarge):
        read_json(sent_by(unreadable, str(LIMIT + 1)), LIMIT)


@pytest.mark.parametrize("error", [ValueError(), OSError()])
def test_a_body_that_breaks_off_is_refused(error: Exception) -> None:
    def broken(_limit: int) -> bytes:
        raise error

    with pytest.raises(BadRequest):
        read_json(sent_by(broken, "10"), LIMIT)


def sent_by(read: Callable[[int], bytes], declared: str) -> RawRequest:
    headers = {"content-type": "application/json", "content-length": declared}
    return RawRequest(method="POST", path="/", headers=headers, read_body=read)


def unreadable(_limit: int) -> bytes:
    raise AssertionError("read although too large")


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": ""},
        {"content_type": "text/plain"},
        {"content_type": "application/xml"},
        {"content_type": "application/json; charset=latin-1"},
        {"content_encoding": "gzip"},
    ],
)
def test_another_type_of_body_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMediaType):
        read_json(sent(b"{}", **headers), LIMIT)


def test_utf_8_may_be_named() -> None:
    assert read_json(sent(b"{}", content_type='Application/JSON; charset="UTF-8"'), LIMIT) == {}


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "' + b'\\"' * 30_000,
        b"[" + b'"a",' * 15_000,
        b'"' + b"\\" * 60_001,
        b'{"a":' * 10_000,
    ],
)
def test_a_body_made_to_be_slow_is_answered_at_once(body: bytes) -> None:
    began = time.perf_counter()

    with pytest.raises(Problem):
        parse_json(body)

    assert time.perf_counter() - began < 1


def test_a_refusal_quotes_nothing_that_was_sent() -> None:
    for body in (b'{"given_name": "Canary" ', b'{"Canary": 1, "Canary": 2}'):
        with pytest.raises(BadRequest) as refusal:
            parse_json(body)

        told: Any = problem_response(refusal.value).body
        assert b"Canary" not in told
        assert "Canary" not in str(refusal.value)
