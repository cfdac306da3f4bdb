"""kindred import of pairs and appointments on a running system.

Wrong rows by line, a second run, a cut-off one.
"""

import csv
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.importing import appointments as of_appointments
from deploy.importing import waiting as of_waiting
from deploy.importing.pairs import KIND
from deploy.machine.run_folder import REPOSITORY
from tests.acceptance.clients import Place
from tests.acceptance.conftest import NewPlace
from tests.acceptance.running import Running, eventually


def kindred(system: Running, file: Path) -> subprocess.Popen[str]:
    """The file's name says what kind it is of."""
    command = [sys.executable, "-m", "deploy.cli", "import", "--kind", file.stem, str(file)]
    environment = {**os.environ, **system.environment}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=pipe, stderr=pipe, text=True
    )


def ran(system: Running, file: Path) -> tuple[int, str, str]:
    process = kindred(system, file)
    out, err = process.communicate(timeout=120)
    return process.returncode, out.strip().splitlines()[-1], err


def written(folder: Path, place: Place, email: str, count: int, **wrong: Any) -> Path:
    today = datetime.now(UTC).date()
    usual = {
        "clinic": place.clinic_id,
        "family_name": "Before",
        "languages": place.language,
        "postal_code": "74103",
        "time_zone": "America/Chicago",
        "modes": "video;phone",
        "received_on": "2025-03-02",
        "consent_given_on": (today - timedelta(days=30)).isoformat(),
        "peer_organisation": place.peer_organisation_id,
        "peer": email,
        "mode": "video",
    }
    path = folder / "pairs.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, KIND.columns)
        writer.writeheader()
        for number in range(count):
            own = {
                "record_number": f"R-{number}",
                "given_name": f"Given{number}",
                "birth_date": f"19{40 + number % 60}-03-04",
                "email": f"before-{number}-{place.clinic_id[:8]}@clients.example",
            }
            writer.writerow({**usual, **own, **(wrong if number == 1 else {})})
    return path


def active(system: Running, place: Place) -> int:
    query = "SELECT count(*) AS found FROM matches WHERE clinic_id = %s AND state = 'active'"
    with system.database("matching") as connection:
        row: dict[str, Any] = connection.execute(query, (place.clinic_id,)).fetchone() or {}
    return int(row["found"])


def test_pairs_are_active_at_once_and_nobody_is_written_to(
    system: Running, new_place: NewPlace, tmp_path: Path
) -> None:
    place = new_place()
    peer = place.add_peer()
    file = written(tmp_path, place, peer.email, 4, peer="nobody@peers.example")

    first = ran(system, file)
    again = ran(system, file)

    assert (first[0], first[1]) == (3, "3 added, 1 not imported")
    assert "line 3: peer is not known in this organisation" in first[2]
    assert (again[0], again[1]) == (3, "3 unchanged, 1 not imported")
    eventually(lambda: active(system, place) == 3, "the pairs are matched", seconds=30)
    story = place.story()
    listed = story.api.all("/api/referrals/referrals", by=place.clinic)
    assert {one["received_at"][:10] for one in listed} == {"2025-03-02"}
    messages = story.api.all("/api/notifications/messages", by=place.coordinator)
    assert list(messages) == []


def test_a_waiting_list_comes_in_with_its_days_and_is_searched_for_at_once(
    system: Running, new_place: NewPlace, tmp_path: Path
) -> None:
    place = new_place()
    place.add_peer()
    file = tmp_path / "waiting.csv"
    usual = {
        "clinic": place.clinic_id,
        "family_name": "Before",
        "languages": place.language,
        "postal_code": "74103",
        "time_zone": "America/Chicago",
        "modes": "video;phone",
        "consent_given_on": datetime.now(UTC).date().isoformat(),
    }
    with file.open("w", newline="") as written_file:
        writer = csv.DictWriter(written_file, of_waiting.KIND.columns)
        writer.writeheader()
        for number, (accepted, came) in enumerate(
            [("yes", "2026-03-02"), ("no", "2026-04-02"), ("perhaps", "2026-05-02")]
        ):
            own = {
                "record_number": f"W-{number}",
                "given_name": f"Given{number}",
                "birth_date": f"19{40 + number}-03-04",
                "accepted": accepted,
                "received_on": came,
                "email": f"waits-{number}-{place.clinic_id[:8]}@clients.example",
            }
            writer.writerow({**usual, **own})

    first = ran(system, file)
    again = ran(system, file)

    assert (first[0], first[1]) == (3, "2 added, 1 not imported")
    assert "line 4: accepted is neither yes nor no" in first[2]
    assert (again[0], again[1]) == (3, "2 unchanged, 1 not imported")
    story = place.story()
    listed = story.api.all("/api/referrals/referrals", by=place.clinic)
    found = {one["received_at"][:10]: (one["status"], one["id"]) for one in listed}
    states = {day: status for day, (status, _) in found.items()}
    assert states == {"2026-03-02": "accepted", "2026-04-02": "submitted"}
    for _, referral_id in found.values():
        assert story.shortlist(referral_id)["candidates"]


def test_an_import_that_was_cut_off_ends_the_same_when_it_is_run_again(
    system: Running, new_place: NewPlace, tmp_path: Path
) -> None:
    place = new_place()
    peer = place.add_peer()
    file = written(tmp_path, place, peer.email, 300)

    process = kindred(system, file)
    query = "SELECT count(*) AS found FROM referrals WHERE clinic_id = %s"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with system.database("referrals") as connection:
            row: dict[str, Any] = connection.execute(query, (place.clinic_id,)).fetchone() or {}
        if row["found"]:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    code, told, _ = ran(system, file)

    assert code == 0, told
    assert told.endswith("0 not imported")
    with system.database("referrals") as connection:
        row = connection.execute(query, (place.clinic_id,)).fetchone() or {}
    assert row["found"] == 300
    eventually(lambda: active(system, place) == 300, "every pair is matched once", seconds=60)


def test_appointments_of_pairs_are_booked_once_and_nobody_is_told_what_they_know(
    system: Running, new_place: NewPlace, tmp_path: Path
) -> None:
    place = new_place()
    peer = place.add_peer()
    assert ran(system, written(tmp_path, place, peer.email, 2))[0] == 0
    api = place.story().api

    def matched() -> bool:
        listed = list(api.all("/api/referrals/referrals", by=place.clinic))
        return [(one["match"] or {}).get("state") for one in listed] == ["active", "active"]

    eventually(matched, "referrals has heard of both matches", seconds=30)
    file = appointments(
        tmp_path,
        place,
        {"record_number": "R-0", "time": "10:00"},
        {"record_number": "R-1", "time": "10:30"},
        {"record_number": "R-7", "time": "12:00"},
        {"record_number": "R-0", "time": "12:00"},
    )

    first = ran(system, file)
    again = ran(system, file)

    assert (first[0], first[1]) == (3, "2 added, 2 not imported")
    assert "line 4: record_number has no match at this clinic" in first[2]
    overlap = [line for line in first[2].splitlines() if "409" in line or "Conflict" in line]
    assert len(overlap) == 1, first[2]
    assert (again[0], again[1]) == (3, "2 unchanged, 2 not imported")
    booked = list(api.all("/api/scheduling/sessions", by=place.coordinator))
    assert [one["state"] for one in booked] == ["booked", "booked"]
    eventually(
        lambda: len(list(api.all("/api/notifications/messages", by=place.coordinator))) == 4,
        "two reminders of each session are planned",
    )
    told = api.all("/api/notifications/messages", by=place.coordinator)
    assert {one["kind"] for one in told} == {"session-reminder"}


def appointments(folder: Path, place: Place, *rows: dict[str, str]) -> Path:
    in_a_week = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    usual = {
        "clinic": place.clinic_id,
        "peer_organisation": place.peer_organisation_id,
        "day": in_a_week,
        "time_zone": "America/Chicago",
        "minutes": "60",
        "mode": "video",
    }
    path = folder / "appointments.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, of_appointments.KIND.columns)
        writer.writeheader()
        writer.writerows({**usual, **row} for row in rows)
    return path
