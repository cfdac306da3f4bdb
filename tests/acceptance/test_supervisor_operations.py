"""The operator's commands against the running system."""

import base64
import json
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.region.accounts import COORDINATOR
from deploy.region.api import Account, Api
from tests.acceptance.running import Running

ORGANISATIONS = "id,kind,name,time_zone,area"
PEERS = (
    "display_name,email,phone,languages,postal_code,modes,topics,capacity,certified_until,"
    "time_zone,availability,organisation"
)


def write(folder: Path, *lines: str) -> str:
    path = folder / "rows.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def peer(organisation: str, *, name: str = "Ana", email: str = "", capacity: str = "3") -> str:
    hours = "mon 09:00-12:00;wed 13:00-17:00"
    email = email or f"{uuid4()}@x.example"
    return (
        f"{name},{email},,en;es,74103,video;phone,grief,{capacity},2030-01-01,"
        f"America/Chicago,{hours},{organisation}"
    )


@pytest.fixture
def organisation(system: Running, tmp_path: Path) -> str:
    new = str(uuid4())
    row = f"{new},peer-organisation,Invented Peers,America/Chicago,"
    done = system.kindred("import", "--kind", "organisations", write(tmp_path, ORGANISATIONS, row))
    assert done.returncode == 0, done.stderr
    return new


def test_a_demo_accounts_token_carries_its_organisations(system: Running) -> None:
    done = system.kindred("token", "--role", "coordinator", "--as", COORDINATOR.account)

    claims = done.stdout.split(".")[1]
    told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))

    assert told["role"] == "coordinator"
    assert set(told["orgs"]) == set(COORDINATOR.orgs)


def test_organisations_imported_again_are_left_as_they_are(system: Running, tmp_path: Path) -> None:
    rows = [
        f"{uuid4()},{kind},Some,America/Chicago,Tulsa" for kind in ("clinic", "peer-organisation")
    ]
    path = write(tmp_path, ORGANISATIONS, *rows)

    first, again = (system.kindred("import", path) for _ in range(2))

    assert first.stdout == "2 added, 0 not imported\n"
    assert again.stdout == "2 unchanged, 0 not imported\n"


def test_a_peer_is_added_once_and_changed_by_a_later_row(
    system: Running, api: Api, organisation: str, tmp_path: Path
) -> None:
    outcomes = [
        system.kindred(
            "import",
            "--kind",
            "peers",
            write(tmp_path, PEERS, peer(organisation, email=email, capacity=capacity)),
        ).stdout
        for email, capacity in (("bo@x.example", "3"), ("BO@x.example", "3"), ("bo@x.example", "5"))
    ]

    coordinator = Account("coordinator", "imports", (organisation,))
    (found,) = api.all("/api/matching/peers", by=coordinator)
    path = f"/api/scheduling/people/{found['id']}/availability"
    weekly = api.get(path, by=coordinator).expect(200).body["weekly"]

    assert outcomes[0] == "1 added, 0 not imported\n"
    assert outcomes[2] == "1 changed, 0 not imported\n"
    assert found["capacity"] == 5
    assert [hours["day"] for hours in weekly] == ["mon", "wed"]


def test_wrong_rows_are_told_by_line_and_the_others_come_in(
    system: Running, organisation: str, tmp_path: Path
) -> None:
    path = write(
        tmp_path,
        PEERS,
        peer(organisation),
        peer(organisation).replace("74103", "00000"),
        peer(organisation, capacity="many"),
    )

    done = system.kindred("import", path)

    assert done.returncode == 3
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["line 3", "line 4"]
    assert done.stdout == "1 added, 2 not imported\n"


def test_a_dry_run_brings_nothing_in(
    system: Running, api: Api, organisation: str, tmp_path: Path
) -> None:
    done = system.kindred("import", "--dry-run", write(tmp_path, PEERS, peer(organisation)))

    coordinator = Account("coordinator", "imports", (organisation,))
    assert done.stdout == "1 could be imported, 0 not imported\n"
    assert list(api.all("/api/matching/peers", by=coordinator)) == []


def test_a_file_of_no_kind_is_a_wrong_command(system: Running, tmp_path: Path) -> None:
    assert system.kindred("import", write(tmp_path, "name", "Ana")).returncode == 2


def parked_by_matching(system: Running) -> set[str]:
    lines = system.kindred("parked", "list").stdout.splitlines()
    return {line.split()[0] for line in lines if line.startswith("matching-")}


def test_a_parked_event_is_listed_shown_and_discarded(system: Running) -> None:
    known = parked_by_matching(system)
    system.publish("referrals.events", "referral.submitted.v1", b"no JSON", message_id="x")
    while not (fresh := parked_by_matching(system) - known):
        pass  # each look takes a while, and pytest's own limit ends it
    (parked,) = fresh

    shown = json.loads(system.kindred("parked", "show", parked).stdout)
    done = system.kindred("parked", "discard", parked)

    assert shown["body_bytes"] == len(b"no JSON")
    assert "no JSON" not in str(shown)
    assert done.returncode == 0
    assert parked not in system.kindred("parked", "list").stdout


def test_an_unknown_parked_event_is_said_in_one_line(system: Running) -> None:
    done = system.kindred("parked", "replay", "matching-999999")

    assert done.returncode == 1
    assert done.stderr == "Error: matching-999999 is not parked\n"
