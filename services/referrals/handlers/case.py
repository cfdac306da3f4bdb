"""One referral, locked, while a handler moves it on: every change leaves its step behind."""

from collections.abc import Mapping, Set
from datetime import date, datetime
from typing import Any, Final, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.events import Event
from services.chassis.problems import NotFound
from services.chassis.roles import CLIENT
from services.chassis.work import Work
from services.referrals.domain import person, progress
from services.referrals.domain.ownership import Care, Turn, Urgency, add_working_days, care
from services.referrals.domain.pause import ASKED_AFTER_WORKING_DAYS
from services.referrals.domain.person import Identity
from services.referrals.domain.progress import Action, MatchState, Status
from services.referrals.repository.clinics import Clinics
from services.referrals.repository.referrals import Referrals, Row
from services.referrals.repository.work_records import Step, Steps, Tasks

CONTACT_DISPUTED: Final = "contact-disputed"
DO_NOT_CONTACT: Final = "do-not-contact"
TASK_TURN: Final = Turn("coordinator", routine=2, soon=1, urgent=1)


class Case:
    def __init__(
        self, work: Work, row: Row, clinic: Row, *, newcomer: Identity | None = None
    ) -> None:
        """`newcomer` tells a referral that comes in: its first `save` writes all that is noted."""
        self.work = work
        self.row = row
        self.clinic = clinic
        self.newcomer = newcomer
        self.noted: list[Step] = []

    @classmethod
    def find(cls, work: Work, referral_id: UUID) -> Self | None:
        """Lock the referral, if it is one that this work may see."""
        row = Referrals(work.connection).lock(referral_id)
        if row is None or row["clinic_id"] not in work.orgs:
            return None
        clinic = Clinics(work.connection).get(row["clinic_id"])
        return cls(work, row, clinic) if clinic else None

    @classmethod
    def of_request(cls, work: Work, referral_id: UUID) -> Self:
        """Lock the referral for the caller; a client knows none but their own."""
        case = cls.find(work, referral_id)
        caller = work.caller
        if case is None or caller is None:
            raise NotFound
        if caller.role is CLIENT and case.row["client_id"] != caller.person:
            raise NotFound
        return case

    @property
    def status(self) -> Status:
        return Status(self.row["status"])

    @property
    def is_open(self) -> bool:
        return self.status in progress.OPEN

    @property
    def today(self) -> date:
        return self.work.now.astimezone(ZoneInfo(self.clinic["time_zone"])).date()

    @property
    def is_minor(self) -> bool:
        return person.is_minor(self.row["client"], self.today)

    def move(self, action: Action, step: str, **details: Any) -> None:
        """Take a step of the referral's own: status, owner, date, version and timeline."""
        self.row["status"] = progress.move(
            action, status=self.status, accepted=self.row["accepted"]
        )
        if not self.is_open:
            Tasks(self.work.connection).settle(self.row["id"], at=self.work.now)
        self.row["version"] += 1
        self.note(step, **details)
        self.save()

    def note(self, step: str, *, at: datetime | None = None, **details: Any) -> None:
        """Add to the timeline: codes, ids and times only."""
        caller = self.work.caller
        noted = {
            "at": at or self.work.now,
            "step": step,
            "by_role": caller.role if caller else None,
            "details": {name: plain(value) for name, value in details.items()},
        }
        self.noted.append(noted)
        if self.newcomer is None:
            Steps(self.work.connection).add(self.row, [noted])

    def save(self) -> None:
        """Store the row; whoever's turn it is now gets it, with a new date."""
        self.assign()
        if self.newcomer is None:
            Referrals(self.work.connection).save(self.row)
        else:
            Referrals(self.work.connection).add(self.row, self.newcomer)
            Steps(self.work.connection).add(self.row, self.noted)
            self.newcomer = None

    def assign(self) -> None:
        match_state = self.row["match_state"]
        now_with = care(
            status=self.status,
            match_state=MatchState(match_state) if match_state else None,
            urgency=Urgency(self.row["urgency"]),
            clinic_id=self.row["clinic_id"],
            peer_organisation_id=self.row["peer_organisation_id"],
            today=self.today,
        )
        self.row["owner_role"] = now_with.role if now_with else None
        self.row["owner_organisation_id"] = now_with.organisation_id if now_with else None
        self.row["next_date"] = self._next_date(now_with) if now_with else None

    def _next_date(self, now_with: Care) -> date:
        """Nothing is due while the person pauses, but that somebody asks how they are."""
        if self.row["paused_at"] is None:
            return now_with.next_date
        asked_on = add_working_days(self.today, ASKED_AFTER_WORKING_DAYS)
        until: date | None = self.row["paused_until"]
        return until or asked_on

    def emit(self, event: Event) -> None:
        """Let the event leave, unless consent never allowed anything to leave."""
        if self.row["submitted_at"] is not None:
            clinic_id = self.row["clinic_id"]
            org = self.row["peer_organisation_id"] or clinic_id
            self.work.emit(event, org=org, clinic_org=clinic_id)

    def ask_coordinator(self, kind: str, *, about: object = "", **details: Any) -> None:
        """Open a task, once, with a date of its own."""
        days = TASK_TURN.days(Urgency(self.row["urgency"]))
        task = {
            "id": self.work.new_id(),
            "referral_id": self.row["id"],
            "clinic_id": self.row["clinic_id"],
            "kind": kind,
            "about": str(about),
            "details": {name: plain(value) for name, value in details.items()},
            "opened_at": self.work.now,
            "due_on": add_working_days(self.today, days),
        }
        Tasks(self.work.connection).open(task)

    def dispute_contact(self) -> None:
        """Write no more to the person's address until somebody has looked at it."""
        if self.row["contact_disputed_at"] is None:
            self.row["contact_disputed_at"] = self.work.now
            self.note(CONTACT_DISPUTED)
            Referrals(self.work.connection).save(self.row)
        if self.is_open:
            self.ask_coordinator(CONTACT_DISPUTED)

    def settle_contact(self) -> None:
        """The contact was looked at: it may be used again."""
        self.row["contact_disputed_at"] = None
        kinds = [CONTACT_DISPUTED]
        Tasks(self.work.connection).settle(self.row["id"], at=self.work.now, kinds=kinds)

    def ask_for_contact(self) -> None:
        """Have exactly the tasks open that stand between us and the person."""
        closed = person.GAPS - self.contact_gaps()
        Tasks(self.work.connection).settle(self.row["id"], at=self.work.now, kinds=closed)
        self.ask_for_missing_contact()

    def ask_for_missing_contact(self) -> None:
        for gap in sorted(self.contact_gaps()):
            self.ask_coordinator(gap)

    def contact_gaps(self) -> Set[str]:
        return person.contact_gaps(
            self.row["client"], self.row["representative"], minor=self.is_minor
        )


def plain(value: Any) -> Any:
    """Write an id or a time as JSON keeps it."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def named(row: Row) -> Mapping[str, UUID]:
    """Name the referral and its clinic, as every event does."""
    return {"referral_id": row["id"], "clinic_id": row["clinic_id"]}
