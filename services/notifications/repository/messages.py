"""Messages as they are planned, taken back and settled."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.database import Connection
from services.notifications.domain.kinds import NOT_YET_TOLD, Kind, Recipient, State
from services.notifications.domain.sending import Message
from services.notifications.repository.rows import in_words

WAKE_SENDER = "messages"
_MESSAGE = """
    id, kind, recipient_role AS recipient, recipient_id, referral_id, match_id, session_id,
    session_revision, clinic_id, org_id, state, channel, repeats, version
"""


@dataclass(frozen=True)
class Messages:
    connection: Connection

    def add(self, rows: Sequence[dict[str, Any]]) -> int:
        """Plan messages; one that the same event already planned for the reader stays one.

        Also one of which a restored database knows only what became of it.
        """
        query = """
            INSERT INTO messages (id, kind, recipient_role, recipient_id, referral_id, match_id,
                                  session_id, session_revision, clinic_id, org_id, cause_id,
                                  resend_of, not_before, planned_at)
            VALUES (%(id)s, %(kind)s, %(recipient)s, %(recipient_id)s, %(referral_id)s,
                    %(match_id)s, %(session_id)s, %(session_revision)s, %(clinic_id)s, %(org_id)s,
                    %(cause_id)s, %(resend_of)s, %(not_before)s, %(planned_at)s)
                ON CONFLICT DO NOTHING
        """
        cursor = self.connection.cursor()
        cursor.executemany(query, rows)
        return cursor.rowcount

    def put_fate(self, row: dict[str, Any]) -> None:
        """Write down what became of a message, which this database may never have planned."""
        query = """
            INSERT INTO messages (id, kind, recipient_role, recipient_id, referral_id, match_id,
                                  session_id, clinic_id, org_id, cause_id, state, reason, channel,
                                  not_before, planned_at, delivered_at)
            VALUES (%(message_id)s, %(kind)s, %(recipient)s, %(recipient_id)s, %(referral_id)s,
                    %(match_id)s, %(session_id)s, %(clinic_id)s, %(org_id)s, %(message_id)s,
                    %(state)s, %(reason)s, %(channel)s, %(at)s, %(at)s, %(delivered_at)s)
                ON CONFLICT (id) DO UPDATE
               SET state = excluded.state, reason = excluded.reason,
                   channel = coalesce(excluded.channel, messages.channel),
                   delivered_at = excluded.delivered_at, held_until = NULL,
                   version = messages.version + 1
        """
        self.connection.execute(query, row)

    def lock(self, message_id: UUID) -> Message | None:
        query = f"SELECT {_MESSAGE} FROM messages WHERE id = %s FOR UPDATE"  # noqa: S608
        row = self.connection.execute(query, (message_id,)).fetchone()
        return Message(**in_words(row)) if row else None

    def told_of(self, match_id: UUID, kind: Kind) -> list[tuple[Recipient, UUID]]:
        """Who was told, or is about to be told, this of the match."""
        query = """
            SELECT DISTINCT recipient_role, recipient_id
              FROM messages
             WHERE match_id = %s AND kind = %s AND recipient_role <> 'clinic'
               AND state NOT IN ('cancelled', 'superseded', 'withheld')
        """
        rows = self.connection.execute(query, (match_id, kind))
        return [(Recipient(row["recipient_role"]), row["recipient_id"]) for row in rows]

    def has_planned(self, match_id: UUID, kind: Kind) -> bool:
        query = "SELECT 1 FROM messages WHERE match_id = %s AND kind = %s LIMIT 1"
        return self.connection.execute(query, (match_id, kind)).fetchone() is not None

    def lock_untold(
        self,
        kinds: Collection[Kind],
        *,
        referral_id: UUID | None = None,
        match_id: UUID | None = None,
        session_id: UUID | None = None,
        before_revision: int | None = None,
    ) -> list[Message]:
        """What people were not told yet of these kinds; what is being sent is judged when sent."""
        query = f"""
            SELECT {_MESSAGE}
              FROM messages
             WHERE state = ANY (%(untold)s) AND kind = ANY (%(kinds)s)
               AND (referral_id = %(referral_id)s OR match_id = %(match_id)s
                    OR session_id = %(session_id)s)
               AND (%(before_revision)s::integer IS NULL
                    OR session_revision < %(before_revision)s)
               AND recipient_role <> 'clinic'
             ORDER BY id
               FOR UPDATE
        """  # noqa: S608  only the column list is put in
        parameters = {
            "untold": [str(untold) for untold in NOT_YET_TOLD],
            "kinds": [str(kind) for kind in kinds],
            "referral_id": referral_id,
            "match_id": match_id,
            "session_id": session_id,
            "before_revision": before_revision,
        }
        rows = self.connection.execute(query, parameters)
        return [Message(**in_words(row)) for row in rows]

    def move_reminders(
        self, session_id: UUID, *, revision: int, not_before: datetime
    ) -> list[tuple[Recipient, UUID]]:
        """Let the planned reminders of a session follow its new time; say whose they are."""
        query = """
            UPDATE messages
               SET session_revision = %s, not_before = %s, held_until = NULL,
                   version = version + 1
             WHERE session_id = %s AND kind = 'session-reminder' AND state = 'planned'
            RETURNING recipient_role, recipient_id
        """
        rows = self.connection.execute(query, (revision, not_before, session_id))
        return [(Recipient(row["recipient_role"]), row["recipient_id"]) for row in rows]

    def settle(
        self,
        message_id: UUID,
        version: int,
        *,
        state: State,
        reason: str | None = None,
        channel: str | None = None,
        delivered_at: datetime | None = None,
    ) -> bool:
        """Write down what became of the message, unless it changed meanwhile."""
        query = """
            UPDATE messages
               SET state = %s, reason = %s, channel = coalesce(%s, channel), delivered_at = %s,
                   held_until = NULL, version = version + 1
             WHERE id = %s AND version = %s
        """
        parameters = (state, reason, channel, delivered_at, message_id, version)
        return self.connection.execute(query, parameters).rowcount == 1
