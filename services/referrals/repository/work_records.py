"""What work on a referral leaves behind: its timeline, questions to the clinic, and tasks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from services.chassis.database import Connection

Row = dict[str, Any]
Step = Mapping[str, Any]  # at, step, by_role and details


@dataclass(frozen=True)
class Steps:
    connection: Connection

    def add(self, row: Row, steps: Sequence[Step]) -> None:
        """Add steps of one referral in order."""
        query = """
            INSERT INTO steps (referral_id, clinic_id, at, step, by_role, details)
            SELECT %s, %s, at, step, by_role, details
              FROM unnest(%s::timestamptz[], %s::text[], %s::text[], %s::jsonb[])
                   WITH ORDINALITY AS new (at, step, by_role, details, position)
             ORDER BY position
        """
        values = [
            row["id"],
            row["clinic_id"],
            [step["at"] for step in steps],
            [step["step"] for step in steps],
            [step["by_role"] for step in steps],
            [Jsonb(step["details"]) for step in steps],
        ]
        self.connection.execute(query, values)

    def of(self, referral_id: UUID) -> list[Row]:
        query = "SELECT at, step, by_role, details FROM steps WHERE referral_id = %s ORDER BY id"
        return self.connection.execute(query, [referral_id]).fetchall()

    def latest(self, referral_id: UUID, step: str) -> datetime | None:
        """When this step was last taken."""
        query = "SELECT max(at) AS at FROM steps WHERE referral_id = %s AND step = %s"
        row = self.connection.execute(query, [referral_id, step]).fetchone()
        return row["at"] if row else None


@dataclass(frozen=True)
class InformationRequests:
    connection: Connection

    def add(self, request: Mapping[str, Any]) -> None:
        query = """
            INSERT INTO information_requests
                (id, referral_id, clinic_id, asked_for, question, requested_at)
            VALUES (%(id)s, %(referral_id)s, %(clinic_id)s, %(asked_for)s, %(question)s,
                    %(requested_at)s)
        """
        self.connection.execute(query, request)

    def answer(self, referral_id: UUID, *, text: str | None, at: datetime) -> None:
        query = """
            UPDATE information_requests SET answer = %s, provided_at = %s
             WHERE referral_id = %s AND provided_at IS NULL
        """
        self.connection.execute(query, [text, at, referral_id])

    def of(self, referral_id: UUID) -> list[Row]:
        query = """
            SELECT asked_for, question AS text, requested_at, answer, provided_at
              FROM information_requests
             WHERE referral_id = %s
             ORDER BY requested_at, id
        """
        return self.connection.execute(query, [referral_id]).fetchall()


@dataclass(frozen=True)
class Tasks:
    connection: Connection

    def open(self, task: Mapping[str, Any]) -> None:
        """Open a task, unless the same one is open already."""
        query = """
            INSERT INTO tasks (id, referral_id, clinic_id, kind, about, details, opened_at, due_on)
            VALUES (%(id)s, %(referral_id)s, %(clinic_id)s, %(kind)s, %(about)s, %(details)s,
                    %(opened_at)s, %(due_on)s)
                ON CONFLICT (referral_id, kind, about) WHERE done_at IS NULL DO NOTHING
        """
        self.connection.execute(query, {**task, "details": Jsonb(task["details"])})

    def settle(
        self,
        referral_id: UUID,
        *,
        at: datetime,
        kinds: Collection[str] | None = None,
        about: str | None = None,
    ) -> None:
        """Close what events have settled without anybody saying so: all, of kinds, or about one."""
        query = """
            UPDATE tasks
               SET done_at = %(at)s, version = version + 1
             WHERE referral_id = %(referral_id)s AND done_at IS NULL
               AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s))
               AND (%(about)s::text IS NULL OR about = %(about)s)
        """
        values = {
            "at": at,
            "referral_id": referral_id,
            "kinds": None if kinds is None else list(kinds),
            "about": about,
        }
        self.connection.execute(query, values)

    def lock(self, task_id: UUID) -> Row | None:
        query = """
            SELECT id, referral_id, clinic_id, kind, details, opened_at, due_on, done_at, version
              FROM tasks
             WHERE id = %s
               FOR UPDATE
        """
        return self.connection.execute(query, [task_id]).fetchone()

    def finish(self, task_id: UUID, *, at: datetime, by: str, version: int) -> None:
        query = "UPDATE tasks SET done_at = %s, done_by = %s, version = %s WHERE id = %s"
        self.connection.execute(query, [at, by, version, task_id])

    def page(
        self,
        clinic_ids: Collection[UUID],
        *,
        is_done: bool,
        referral_id: UUID | None,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Row]:
        query = """
            SELECT id, referral_id, clinic_id, kind, details, opened_at, due_on, done_at, version
              FROM tasks
             WHERE clinic_id = ANY (%(clinic_ids)s) AND (done_at IS NOT NULL) = %(is_done)s
               AND (%(referral_id)s::uuid IS NULL OR referral_id = %(referral_id)s)
               AND (%(at)s::timestamptz IS NULL OR (opened_at, id) > (%(at)s, %(id)s))
             ORDER BY opened_at, id
             LIMIT %(limit)s
        """
        at, task_id = after or (None, None)
        values = {
            "clinic_ids": list(clinic_ids),
            "is_done": is_done,
            "referral_id": referral_id,
            "at": at,
            "id": task_id,
            "limit": limit,
        }
        return self.connection.execute(query, values).fetchall()
