"""Every word that a page shows is there in every language that we speak."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

SERVICES = Path(__file__).parents[2] / "services"
TRANSLATED = sorted(path for path in SERVICES.glob("*/words/*.po"))
WRITTEN = [("templates/**.html", "jinja2"), ("pages/**.py", "python")]
MARKS = {"_": None, "noted": None}


def words_of(service: Path) -> set[str]:
    options = {"templates/**.html": {"encoding": "utf-8"}}
    found = extract_from_dir(service, WRITTEN, options, MARKS)
    return {text for _file, _line, text, *_ in found if isinstance(text, str)}


@pytest.mark.parametrize("path", TRANSLATED, ids=lambda path: path.parent.parent.name)
def test_every_word_of_a_services_pages_is_translated_and_no_other(path: Path) -> None:
    with path.open("rb") as file:
        catalogue = read_po(file)
    translated = {message.id for message in catalogue if message.id and message.string}

    assert translated == words_of(path.parent.parent)


def test_there_are_words_to_translate() -> None:
    assert TRANSLATED
