"""What rows of an import may hold, and what each wrong one is told."""

from pathlib import Path
from typing import Any, cast

import pytest

from deploy.importing import appointments, organisations, peers
from deploy.importing.run import KINDS, Report, kind_of
from deploy.importing.table import Row, WrongFile, WrongRow, check_header, read, row_of
from deploy.region.api import Api

ID = "7b0e6a52-9f0c-4d6e-8f0a-000000000002"


def peer(**cells: str) -> Row:
    usual = dict.fromkeys(peers.KIND.columns, "") | {
        "display_name": "Ana Invented",
        "email": "Ana@x.example",
        "languages": "en; es",
        "postal_code": "74103",
        "modes": "video;phone",
        "capacity": "3",
        "certified_until": "2030-01-01",
        "time_zone": "America/Chicago",
        "availability": "mon 09:00-12:00;wed 13:00-17:00",
        "organisation": ID,
    }
    return Row(2, usual | cells)


def test_lists_in_a_cell_are_split_at_semicolons() -> None:
    facts = peers.parse(peer()).facts

    assert facts["languages"] == ["en", "es"]
    assert facts["topics"] == []


def test_availability_is_read_as_hours_of_the_week() -> None:
    assert peers.parse(peer()).availability == {
        "time_zone": "America/Chicago",
        "weekly": [
            {"day": "mon", "from": "09:00", "to": "12:00"},
            {"day": "wed", "from": "13:00", "to": "17:00"},
        ],
        "exceptions": [],
    }


def test_the_same_peer_is_known_by_email_in_any_case() -> None:
    assert peers.parse(peer()).identity == peers.parse(peer(email="ANA@X.EXAMPLE")).identity


def test_the_same_peer_is_known_by_phone_where_there_is_no_email() -> None:
    one = peers.parse(peer(email="", phone="+19185550123"))
    other = peers.parse(peer(email="", phone="+19185550124"))

    assert one.identity != other.identity
    assert one.identity == (ID, "+19185550123")


class NobodyThere:
    """An API without a single peer, where nothing may be written."""

    def all(self, *_: object, **__: object) -> list[dict[str, Any]]:
        return []


def test_of_rows_about_the_same_peer_the_last_one_counts() -> None:
    first, last = peers.parse(peer()), peers.parse(peer(email="ANA@x.example"))

    importer = peers.Peers(cast(Api, NobodyThere()), [first, last])

    assert importer.bring(first) == "repeated"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"email": ""}, "email and phone are both missing"),
        ({"display_name": " "}, "display_name is missing"),
        ({"capacity": "three"}, "capacity is not a whole number"),
        ({"organisation": "ours"}, "organisation is not a UUID"),
        ({"availability": "monday"}, "availability is not like"),
        ({"availability": "mon 12:00-09:00"}, "availability ends before it begins"),
        ({"availability": "mon 25:00-26:00"}, "availability is not like"),
    ],
)
def test_a_wrong_cell_is_named_without_what_it_held(cells: dict[str, str], told: str) -> None:
    with pytest.raises(WrongRow, match=told):
        peers.parse(peer(**cells))


def test_every_wrong_cell_of_a_row_is_named() -> None:
    told = "display_name is missing; capacity is not a whole number; organisation is not a UUID"

    with pytest.raises(WrongRow, match=f"^{told}$"):
        peers.parse(peer(display_name="", capacity="three", organisation="ours"))


def test_an_organisation_needs_a_known_kind() -> None:
    row = Row(2, {"id": ID, "kind": "shop", "name": "A", "time_zone": "UTC", "area": ""})

    with pytest.raises(WrongRow, match="kind is not one of clinic, peer-organisation"):
        organisations.parse(row)


def test_a_header_says_what_is_missing_and_what_is_not_known() -> None:
    with pytest.raises(WrongFile, match="missing: b; not known: c"):
        check_header(["a", "c"], ["a", "b"])


def test_the_header_tells_the_kind_in_any_order() -> None:
    for kind in KINDS.values():
        assert kind_of(None, list(reversed(kind.columns))) is kind


def test_a_header_of_no_kind_is_refused() -> None:
    with pytest.raises(WrongFile, match="fits no kind"):
        kind_of(None, ["name"])


def test_records_keep_their_line_numbers_over_empty_lines_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffa,b\n\n1,"two\nlines"\n3,4\n', encoding="utf-8")

    header, records = read(path)

    assert header == ["a", "b"]
    assert [line for line, _ in records] == [4, 5]


def test_a_row_with_too_many_cells_is_refused() -> None:
    with pytest.raises(WrongRow, match="3 cells where the header has 2"):
        row_of(["a", "b"], 2, ["1", "2", "3"])


def test_a_file_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n\xff\xfe,1\n")

    with pytest.raises(WrongFile, match="cannot be read as CSV in UTF-8"):
        read(path)


@pytest.mark.parametrize(("added", "wrong", "code"), [(2, 0, 0), (0, 1, 1), (1, 1, 3), (0, 0, 0)])
def test_the_exit_status_tells_all_none_or_some(added: int, wrong: int, code: int) -> None:
    report = Report()
    report.outcomes["added"] += added
    report.wrong = dict.fromkeys(range(wrong), "reason")

    assert report.exit_code == code


def appointment(**cells: str) -> Row:
    usual = {
        "clinic": ID,
        "record_number": "R-1",
        "peer_organisation": ID,
        "day": "2099-07-06",
        "time": "14:30",
        "time_zone": "America/Chicago",
        "minutes": "45",
        "mode": "",
    }
    return Row(2, usual | cells)


def test_an_appointment_is_at_its_time_by_the_clock_where_they_meet() -> None:
    found = appointments.parse(appointment())

    assert found.booked["starts_at"] == "2099-07-06T19:30:00+00:00"
    assert found.booked["minutes"] == 45
    assert "mode" not in found.booked


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    found = appointments.parse(appointment(day="2099-11-01", time="01:30"))

    assert found.booked["starts_at"] == "2099-11-01T06:30:00+00:00"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"day": "2001-07-06"}, "day and time lie in the past"),
        ({"day": "6 July"}, "day is not a day like 2025-03-31"),
        ({"time": "2 pm"}, "time is not like 14:30"),
        ({"time": ""}, "time is missing"),
        ({"time_zone": "Chicago"}, "time_zone is not known"),
        ({"day": "2099-03-08", "time": "02:30"}, "time is left out by the clocks on that day"),
        ({"minutes": "long"}, "minutes is not a whole number"),
        ({"clinic": "north"}, "clinic is not a UUID"),
        ({"record_number": ""}, "record_number is missing"),
        (
            {"day": "", "time": "25:00", "minutes": ""},
            "day is missing; time is not like 14:30; minutes is missing",
        ),
    ],
)
def test_each_wrong_appointment_is_told_all_that_is_wrong(cells: dict[str, str], told: str) -> None:
    with pytest.raises(WrongRow) as refused:
        appointments.parse(appointment(**cells))
    assert str(refused.value) == told
