"""Whom somebody in need can call: the whole region's lines, and those of their own area."""

import json
from pathlib import Path

import pytest

from services.chassis.help_lines import Help

ON_CALL = {"en": "Nobody is on call at night.", "es": "De noche no hay nadie de guardia."}


def a_line(area: str | None, phone: str) -> dict[str, object]:
    return {"area": area, "phone": phone, "name": ON_CALL, "says": ON_CALL}


def a_file(folder: Path, *lines: dict[str, object], **more: object) -> Path:
    path = folder / "help.json"
    told = {"exit": "https://weather.example/", "on_call": ON_CALL, "lines": list(lines)}
    path.write_text(json.dumps(told | more))
    return path


def test_somebody_is_shown_the_regions_lines_and_those_of_their_areas(tmp_path: Path) -> None:
    lines = [a_line(None, "988"), a_line("Tulsa", "211"), a_line("Sapulpa", "311")]

    told = Help.read(a_file(tmp_path, *lines)).of({"Sapulpa", None})

    assert [line.phone for line in told.lines] == ["988", "311"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([a_line("Tulsa", "211")], "no line for the whole region"),
        ([{"area": None, "phone": "988"}], "missing 2 required"),
        ([{**a_line(None, "988"), "fax": "1"}], "unexpected keyword"),
    ],
)
def test_a_file_that_would_leave_somebody_without_a_line_is_refused(
    tmp_path: Path, lines: list[dict[str, object]], why: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=why):
        Help.read(a_file(tmp_path, *lines))


def test_the_file_that_ships_has_a_line_for_everybody() -> None:
    shipped = Path(__file__).parents[3] / "deploy" / "help_lines.json"

    assert Help.read(shipped).of(()).lines
