"""What a clinic types, value by value: kept as meant, or refused by name."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields

from services.referrals.schemas.values import (
    AgeBand,
    ClockTime,
    Code,
    DayOrMoment,
    LanguageTag,
    PostalCode,
    TimeZone,
    Words,
)


def read(field: fields.Field[Any], value: Any) -> Any:
    return Schema.from_dict({"it": field})().load({"it": value})["it"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("es", "es"), ("EN-us", "en-US"), ("zh-hant-tw", "zh-Hant-TW"), ("ase", "ase")],
)
def test_a_language_is_kept_in_its_usual_case(typed: str, kept: str) -> None:
    assert read(LanguageTag(), typed) == kept


@pytest.mark.parametrize("typed", ["english", "en_US", "e", "", "es ", "x-private", 7, "en-" * 9])
def test_what_is_no_language_tag_is_refused(typed: Any) -> None:
    with pytest.raises(ValidationError):
        read(LanguageTag(), typed)


@pytest.mark.parametrize("typed", ["Mars/Olympus", "america/chicago", "../etc/passwd", "", None])
def test_what_is_no_zone_is_refused(typed: Any) -> None:
    with pytest.raises(ValidationError):
        read(TimeZone(), typed)


@pytest.mark.parametrize("typed", ["00000", "7404", "74048-1", "Tulsa", 74048])
def test_an_unknown_postal_code_is_refused(typed: Any) -> None:
    with pytest.raises(ValidationError):
        read(PostalCode(), typed)


def test_a_consent_ends_on_a_day_or_at_a_moment() -> None:
    assert read(DayOrMoment(), "2027-01-31") == date(2027, 1, 31)
    moment = datetime(2027, 1, 31, 6, tzinfo=UTC)
    assert read(DayOrMoment(), "2027-01-31T00:00:00-06:00") == moment


@pytest.mark.parametrize("typed", ["2027-02-30", "20270131", "soon", "2027-01-31T00:00:00", 5])
def test_what_is_neither_day_nor_moment_is_refused(typed: Any) -> None:
    with pytest.raises(ValidationError):
        read(DayOrMoment(), typed)


def test_words_lose_the_spaces_around_them_and_may_not_be_empty() -> None:
    assert read(Words(longest=5), "  Amy ") == "Amy"
    with pytest.raises(ValidationError):
        read(Words(longest=5), "   ")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        (Code(), "Grief"),
        (Code(), "grief\n"),
        (Code(), ""),
        (ClockTime(), "9:00"),
        (ClockTime(), "24:00"),
        (ClockTime(), "09:00\n"),
        (ClockTime(), "0\u0669:30"),
        (AgeBand(), "\u0661\u0668-24"),
    ],
)
def test_what_is_no_code_clock_time_or_age_band_is_refused(
    field: fields.Field[Any], typed: str
) -> None:
    with pytest.raises(ValidationError):
        read(field, typed)
