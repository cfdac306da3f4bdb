"""Backup, restore of services to different moments, reconcile, and the loss of a whole machine."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deploy.backups import archive_now
from deploy.machine.processes import Identity, end_stranger
from deploy.machine.run_folder import REPOSITORY, RunFolder
from deploy.region.api import Api
from deploy.region.mailbox import Mailbox, read_letter
from deploy.region.story import Story
from deploy.topology import SERVICES, declared_services
from services.chassis.journal import Journal
from tests.acceptance.clients import Matched, Peer, Place, confirm, offer, press
from tests.acceptance.running import Running, eventually

# The first test also brings the system up and lives a while in it.
pytestmark = pytest.mark.timeout(400)

BACKUPS = REPOSITORY / ".run" / "restore-test-backups"
# Nobody waits for a segment here: what a lost machine forgets is what was not yet archived.
ARCHIVE_SECONDS = "3600"


@dataclass(frozen=True)
class Backed(Running):
    """A system whose backups lie apart from its run folder, one process of each kind."""

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "KINDRED_REPLICAS": "1",
            "KINDRED_BACKUPS": str(BACKUPS),
            "KINDRED_ARCHIVE_SECONDS": ARCHIVE_SECONDS,
        }
        return {**super().environment, **ours}

    @property
    def admin_dsn(self) -> str:
        return self.database_dsn("postgres", "postgres", self.secret("postgres"))

    @property
    def journals(self) -> Path:
        [folder] = BACKUPS.glob("*/journal")
        return folder

    def told_by(self, service: str) -> list[dict[str, Any]]:
        return list(Journal.of(self.journals, service).read())

    def lose_everything(self) -> None:
        """Every process at once and without a word, then the run folder."""
        ours = Identity(**{name: self._supervisor()[name] for name in ("pid", "started")})
        entries = self.processes().values()
        ours.send(signal.SIGKILL)
        for entry in entries:
            end_stranger(Identity(entry["pid"], entry["started"]), signal.SIGKILL, 5, self.run.path)
        shutil.rmtree(self.run.path)

    def _supervisor(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run.state.read_text())
        return found


@dataclass
class Region:
    """One place's people, and what was done with them when."""

    system: Backed
    place: Place
    story: Story
    peer: Peer
    matched: dict[str, Matched] = field(default_factory=dict)
    mail_before: int = 0

    def act(self, referral_id: str, action: str) -> None:
        path = f"/api/referrals/referrals/{referral_id}"
        self.place.api.act(path, action, by=self.place.clinic).expect()

    def confirm(self, name: str) -> Matched:
        self.matched[name] = confirm(self.place, self.story, self.peer)
        return self.matched[name]

    def settle(self) -> datetime:
        """Wait until all that was told has been heard and every message has gone; now it is."""
        eventually(lambda: not lacking(self.system), "everything is heard", seconds=30)
        query = (
            "SELECT id FROM messages WHERE state IN ('planned', 'sending') AND not_before < now()"
        )
        eventually(lambda: not self.system.rows("notifications", query), "all is sent", seconds=30)
        eventually(lambda: not lacking(self.system), "everything is heard", seconds=30)
        now = datetime.now(UTC)
        time.sleep(0.01)  # so that what follows is later by any clock
        return now


@pytest.fixture(scope="module")
def system() -> Iterator[Backed]:
    running = Backed(RunFolder(REPOSITORY / ".run" / "restore-test"))
    running.clean()
    shutil.rmtree(BACKUPS, ignore_errors=True)
    try:
        running.up()
        yield running
    finally:
        running.down()
        shutil.rmtree(BACKUPS, ignore_errors=True)


@pytest.fixture(scope="module")
def region(system: Backed) -> Region:
    place = Place(Api(system), Mailbox(system.mail_folder), "qaa", step_seconds=30).open()
    peer = place.add_peer(capacity=30)
    return Region(system, place, place.story(), peer)


def lacking(system: Running) -> list[tuple[str, str, UUID]]:
    """Every event that was told and that a queue which follows it never took in."""
    told = {service: sent(system, service) for service in SERVICES}
    found = []
    for service in declared_services():
        rows = system.rows(service.name, "SELECT consumer, event_id FROM inbox")
        heard = {(row["consumer"], row["event_id"]) for row in rows}
        for queue, consumed in service.queues().items():
            followed = {(one.source, one.aggregate) for one in consumed}
            found += [
                (queue, row["type"], row["event_id"])
                for producer, rows in told.items()
                for row in rows
                if (producer, row["aggregate"]) in followed
                and (queue, row["event_id"]) not in heard
            ]
    return found


def sent(system: Running, service: str) -> list[dict[str, Any]]:
    query = """
        SELECT event_id, type, aggregate, aggregate_id, epoch, sequence FROM outbox_sent
         UNION SELECT event_id, type, aggregate, aggregate_id, epoch, sequence FROM outbox
    """
    return system.rows(service, query)


def assert_numbered_without_a_hole(system: Running) -> None:
    for service in SERVICES:
        streams: dict[tuple[UUID, str], list[int]] = {}
        for row in sent(system, service):
            streams.setdefault((row["aggregate_id"], row["aggregate"]), []).append(row["sequence"])
        for numbers in streams.values():
            assert sorted(numbers) == list(range(1, len(numbers) + 1))


def matches(system: Running) -> list[dict[str, Any]]:
    query = """
        SELECT id, referral_id, round, state, peer_id, offer_id, mode, end_reason
          FROM matches
         ORDER BY id
    """
    return system.rows("matching", query)


def places_taken(system: Running) -> list[dict[str, Any]]:
    return system.rows("matching", "SELECT id, places_taken FROM peers ORDER BY id")


def the_gap(system: Running, done: str) -> list[dict[str, Any]]:
    """The events that the restore says were forgotten, as its file lists them."""
    line = next(line for line in done.splitlines() if "every event of the gap is in" in line)
    path = Path(line.partition(" is in ")[2])
    return [json.loads(one) for one in path.read_text().splitlines()]


def restore(system: Backed, *arguments: str) -> str:
    done = system.kindred("restore", *arguments, seconds=150)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "recovery point" in done.stdout
    assert "recovery time" in done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def lived(region: Region) -> dict[str, Any]:
    """Life before and after the backup, with two moments in it to come back to."""
    system, place, story = region.system, region.place, region.story
    before = region.confirm("confirmed before")
    region.confirm("withdrawn later")
    region.confirm("consent ends later")
    done = system.kindred("backup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checked" in done.stdout
    booked = story.book(before.match_id, story.times(before.match_id)[0]["starts_at"])
    region.matched["disowned later"] = offer(place, story)
    first = region.settle()

    region.confirm("matched after the first moment")
    second = region.settle()

    region.act(region.matched["withdrawn later"].referral_id, "withdraw")
    region.act(region.matched["consent ends later"].referral_id, "withdraw-consent")
    email = region.matched["disowned later"].client_email
    assert email
    press(place.api, story.letter(email).links[0], "not-me").expect(200)
    moved = region.matched["matched after the first moment"]
    session = story.book(moved.match_id, story.times(moved.match_id)[0]["starts_at"])
    path = f"/api/scheduling/sessions/{booked['id']}"
    place.api.act(path, "cancel", by=place.coordinator, body={"cause": "client"}).expect()
    region.settle()
    return {"first": first, "second": second, "session": session}


def test_services_restored_to_different_moments_lose_nothing_and_keep_every_no(
    region: Region, lived: dict[str, Any]
) -> None:
    system = region.system
    known, places = matches(system), places_taken(system)
    letters = sorted(map(str, region.place.mailbox.paths()))
    told_before = {service: system.told_by(service) for service in SERVICES}
    sessions = "SELECT id, state, starts_at, client_id FROM sessions ORDER BY id"
    known_sessions = system.rows("scheduling", sessions)

    for services, moment in (
        (("matching", "notifications"), lived["first"]),
        (("referrals", "scheduling"), lived["second"]),
    ):
        named = [part for service in services for part in ("--service", service)]
        printed = restore(system, *named, "--to", moment.isoformat())
        forgotten = [
            row
            for service in services
            for row in told_before[service]
            if row["occurred_at"] > moment
        ]
        gap = the_gap(system, printed)
        assert {one["event_id"] for one in gap} == {str(row["event_id"]) for row in forgotten}
        assert all(one["recalled"] for one in gap), printed
        assert f"{len(forgotten)} events forgotten" in printed
        assert ", 0 not" in printed
    region.settle()

    assert matches(system) == known
    assert places_taken(system) == places
    assert system.rows("scheduling", sessions) == known_sessions
    claimed = system.rows("scheduling", "SELECT DISTINCT session_id FROM claims")
    assert [row["session_id"] for row in claimed] == [UUID(lived["session"]["id"])]
    status = {row["id"]: row for row in system.rows("referrals", "SELECT * FROM referrals")}
    of = {name: status[UUID(one.referral_id)] for name, one in region.matched.items()}
    assert of["withdrawn later"]["status"] == "withdrawn"
    assert of["consent ends later"]["status"] == "awaiting-consent"
    assert of["disowned later"]["contact_disputed_at"] is not None
    query = "SELECT id FROM consents WHERE referral_id = %s AND ended_at IS NULL"
    ended = region.matched["consent ends later"].referral_id
    assert not system.rows("referrals", query, ended)

    assert sorted(map(str, region.place.mailbox.paths())) == letters, "somebody was mailed again"
    assert_numbered_without_a_hole(system)
    assert not system.rows("referrals", "SELECT id FROM deferred")
    later = region.confirm("confirmed after the restores")
    region.settle()
    told = [one for one in sent(system, "matching") if one["aggregate_id"] == UUID(later.match_id)]
    assert {one["epoch"] for one in told} == {2}


def test_reconcile_finds_and_heals_a_lost_last_event_by_its_exact_number(region: Region) -> None:
    system = region.system
    matched = offer(region.place, region.story)
    region.settle()
    path = f"/api/matching/matches/{matched.match_id}"
    with system.broker() as channel:
        channel.queue_unbind("scheduling.match", "matching.events", "match.#")
        region.place.api.act(
            path, "end", by=region.place.coordinator, body={"reason": "client-choice"}
        )
        query = (
            "SELECT sequence FROM outbox_sent WHERE aggregate_id = %s AND type = 'match.ended.v1'"
        )
        [row] = eventually(
            lambda: system.rows("matching", query, matched.match_id), "the end was told"
        )
        channel.queue_bind("scheduling.match", "matching.events", "match.#")

    done = system.kindred("reconcile")

    number = row["sequence"]
    expected = f"scheduling.match {matched.match_id} #{number} to #{number}: 1 sent again, handled"
    assert done.returncode == 0
    # On a slow machine the service may have found it by itself before us.
    by_itself = "events_lost" in (system.log_folder / "scheduling.worker.1.log").read_text()
    assert done.stdout.splitlines() == [expected, "1 gaps, 1 healed, 0 not"] or by_itself
    query = "SELECT id FROM matches WHERE id = %s AND state = 'ended'"
    eventually(lambda: system.rows("scheduling", query, matched.match_id), "the end is heard")


def test_a_lost_machine_comes_back_with_every_no_and_says_what_it_cannot_know(
    region: Region,
) -> None:
    system = region.system
    stays = region.confirm("matched before the machine was lost")
    region.settle()
    archive_now(system.admin_dsn)
    region.act(stays.referral_id, "withdraw")
    unknown = region.story.submit(region.place.referral())
    region.settle()
    letters = {read_letter(path).message_id for path in region.place.mailbox.paths()}
    told = {service: system.told_by(service) for service in SERVICES}

    system.lose_everything()
    printed = restore(system)

    gap = the_gap(system, printed)
    every = {str(row["event_id"]) for rows in told.values() for row in rows}
    assert {one["event_id"] for one in gap} <= every
    lost = {(one["type"], one["aggregate_id"]) for one in gap if not one["recalled"]}
    assert lost == {("referral.submitted.v1", unknown["id"])}
    assert f"for staff: referral.submitted.v1 {unknown['id']} #1" in printed
    query = "SELECT status FROM referrals WHERE id = %s"
    assert system.rows("referrals", query, stays.referral_id) == [{"status": "withdrawn"}]
    assert not system.rows("referrals", query, unknown["id"])
    region.settle()
    for service in SERVICES:
        kept = {row["event_id"] for row in sent(system, service)}
        assert {row["event_id"] for row in told[service]} <= kept
    assert_numbered_without_a_hole(system)
    with suppress(FileNotFoundError):
        again = {read_letter(path).message_id for path in region.place.mailbox.paths()}
        assert not again & letters, "somebody was mailed again"
    region.confirm("matched after the machine came back")
