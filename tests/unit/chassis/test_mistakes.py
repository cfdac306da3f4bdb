"""What is wrong with a field is said in the reader's language."""

import pytest

from services.chassis.http.reading import LANGUAGES
from services.chassis.mistakes import mistake_in


def test_english_stays_as_the_schema_says_it() -> None:
    assert mistake_in("en", "Whatever is wrong.") == "Whatever is wrong."


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("Missing data for required field.", "Hace falta este dato."),
        ("Longer than maximum length 500.", "Es demasiado largo: como mucho 500."),
        ("Must be one of: a, b.", "Elija una de las opciones."),
        ("Something that nobody has translated.", "Este dato necesita otra mirada."),
    ],
)
def test_spanish_readers_are_told_in_spanish(english: str, spanish: str) -> None:
    assert mistake_in("es", english) == spanish


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_no_language_leaves_a_reader_with_english(language: str) -> None:
    assert mistake_in(language, "Never heard of.") != "Never heard of."
