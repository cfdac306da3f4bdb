"""How parts of a request are read, and how their problems are named."""

import pytest
from marshmallow import Schema, fields
from marshmallow.validate import Length

from services.chassis.http.reading import flatten, language_of, load


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("es", "es"),
        ("es-MX, en;q=0.8", "es"),
        ("de, es;q=0.4, en;q=0.9", "en"),
        ("fr", "en"),
        ("es;q=0", "en"),
        ("es;q=x, ;;,", "en"),
        ("EN-us;q=0.1, ES;q=0.2", "es"),
    ],
)
def test_the_language_is_the_one_liked_best_of_ours(header: str | None, language: str) -> None:
    assert language_of(header) == language


class Inner(Schema):
    word = fields.String(required=True)


class Outer(Schema):
    inner = fields.Nested(Inner)
    words = fields.Dict(keys=fields.String(), values=fields.String(validate=Length(max=2)))


def test_problems_are_named_by_dotted_path() -> None:
    errors: dict[str, list[str]] = {}

    load(Outer(), {"inner": {"other": 1}, "words": {"a": "long"}, "more": 1}, "body", errors)

    assert set(errors) == {"inner.word", "inner.other", "words.a.value", "more"}


def test_a_problem_of_the_whole_is_named_as_such() -> None:
    errors: dict[str, list[str]] = {}

    load(Outer(), [], "body", errors)

    assert list(errors) == ["body"]
    assert list(flatten({"inner": {"_schema": ["No."]}}, "", "body")) == [("inner", ["No."])]
