"""Due messages as one sender claims them, tries them and gives them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import DictRow

from services.chassis.database import Connection
from services.notifications.domain.kinds import State
from services.notifications.domain.sending import LONGEST_WAIT, Due
from services.notifications.repository.rows import in_words


@dataclass(frozen=True)
class Claims:
    connection: Connection

    def claim(self, *, now: datetime, held_until: datetime, limit: int) -> list[Due]:
        """Take due messages for this sender alone; a lease that ran out is anybody's again.

        One never tried is held for a minute at the most: longer, and the clock was ahead.
        """
        query = """
            WITH due AS MATERIALIZED (
                SELECT id
                  FROM messages
                 WHERE state IN ('planned', 'sending') AND not_before <= %(now)s
                   AND (held_until IS NULL OR held_until <= %(now)s
                        OR attempts = 0 AND held_until > %(latest)s)
                 ORDER BY not_before, id
                 LIMIT %(limit)s
                   FOR UPDATE SKIP LOCKED
            ), claimed AS (
                UPDATE messages
                   SET held_until = %(held_until)s
                  FROM due
                 WHERE messages.id = due.id
                RETURNING messages.*
            )
            SELECT claimed.id, kind, recipient_role AS recipient, recipient_id, referral_id,
                   match_id, session_id, session_revision, clinic_id, org_id, state, channel,
                   attempts, waits, repeats, claimed.version, people.language,
                   coalesce(people.detail, 'discreet') AS detail
              FROM claimed LEFT JOIN people ON people.id = claimed.recipient_id
             ORDER BY not_before, claimed.id
        """
        latest = now + LONGEST_WAIT
        parameters = {"now": now, "held_until": held_until, "latest": latest, "limit": limit}
        rows = self.connection.execute(query, parameters)
        return [Due(**in_words(row)) for row in rows]

    def longest_due(self, now: datetime) -> datetime | None:
        query = """
            SELECT min(not_before) AS oldest
              FROM messages
             WHERE state IN ('planned', 'sending') AND not_before <= %s
        """
        row = self.connection.execute(query, (now,)).fetchone()
        return row["oldest"] if row else None

    def begin_attempt(self, message: Due, *, held_until: datetime) -> DictRow | None:
        """Record an attempt before the mail server is called; None if the message changed.

        One that is `sending` already was perhaps taken before: this attempt is a repeat.
        """
        query = """
            UPDATE messages
               SET state = 'sending', attempts = attempts + 1,
                   repeats = repeats + (state = 'sending')::integer,
                   held_until = %s, version = version + 1
             WHERE id = %s AND version = %s AND state IN ('planned', 'sending')
            RETURNING attempts, repeats, version
        """
        return self.connection.execute(query, (held_until, message.id, message.version)).fetchone()

    def hold(self, message: Due, *, until: datetime, state: State, waits: int) -> None:
        """Leave the message alone until then: the mail server or an owner asks for patience."""
        query = """
            UPDATE messages
               SET held_until = %s, state = %s, waits = %s, version = version + 1
             WHERE id = %s AND version = %s
        """
        self.connection.execute(query, (until, state, waits, message.id, message.version))

    def postpone(self, message: Due, *, not_before: datetime) -> None:
        query = """
            UPDATE messages
               SET not_before = %s, held_until = NULL, version = version + 1
             WHERE id = %s AND version = %s
        """
        self.connection.execute(query, (not_before, message.id, message.version))

    def release(self, messages: Sequence[Due]) -> None:
        """Give claimed messages back untouched."""
        query = """
            UPDATE messages
               SET held_until = NULL
              FROM unnest(%s::uuid[], %s::integer[]) AS claimed (id, version)
             WHERE messages.id = claimed.id AND messages.version = claimed.version
        """
        ids = [message.id for message in messages]
        self.connection.execute(query, (ids, [message.version for message in messages]))
