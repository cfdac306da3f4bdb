"""Matches as far as sessions hang on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.scheduling.domain.sessions import Match

_SELECT = """
    SELECT id, referral_id, client_id, clinic_id, peer_id, peer_organisation_id, mode, state
      FROM matches
"""


@dataclass(frozen=True)
class Matches:
    connection: Connection

    def find(self, match_id: UUID) -> Match | None:
        query = f"""{_SELECT}
             WHERE id = %s
        """
        cursor = self.connection.cursor(row_factory=class_row(Match))
        return cursor.execute(query, (match_id,)).fetchone()

    def keep_open(self, match_id: UUID) -> Match | None:
        """The match, which cannot end before this transaction does."""
        query = f"""{_SELECT}
             WHERE id = %s
               FOR SHARE
        """
        cursor = self.connection.cursor(row_factory=class_row(Match))
        return cursor.execute(query, (match_id,)).fetchone()

    def find_many(self, match_ids: Sequence[UUID]) -> list[Match]:
        query = f"""{_SELECT}
             WHERE id = ANY (%s)
             ORDER BY id
        """
        cursor = self.connection.cursor(row_factory=class_row(Match))
        return cursor.execute(query, (list(match_ids),)).fetchall()

    def open_of(self, peer_id: UUID) -> list[Match]:
        """Whom the peer meets, in the order in which they came together."""
        query = f"""{_SELECT}
             WHERE peer_id = %s AND state = 'confirmed'
             ORDER BY opened_at, id
        """
        cursor = self.connection.cursor(row_factory=class_row(Match))
        return cursor.execute(query, (peer_id,)).fetchall()

    def paused_with(self, peer_id: UUID) -> set[UUID]:
        """Those of the peer's matches whose person takes a pause."""
        query = "SELECT id FROM matches WHERE peer_id = %s AND paused"
        return {row["id"] for row in self.connection.execute(query, (peer_id,))}

    def note_pause(self, referral_id: UUID, *, paused: bool) -> None:
        query = "UPDATE matches SET paused = %s WHERE referral_id = %s"
        self.connection.execute(query, (paused, referral_id))

    def quiet_since(
        self, organisation_ids: Sequence[UUID], moment: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Those of these organisations who last met before that moment, the longest ago first."""
        query = """
            SELECT id, referral_id, peer_id, coalesce(last_contact_at, opened_at) AS quiet_since
              FROM matches
             WHERE peer_organisation_id = ANY (%s) AND state = 'confirmed'
               AND coalesce(last_contact_at, opened_at) < %s
             ORDER BY quiet_since, id
             LIMIT %s
        """
        rows = self.connection.execute(query, (list(organisation_ids), moment, limit))
        return rows.fetchall()

    def confirm(self, match: Match, now: datetime) -> None:
        """Add the match, unless it is known already, perhaps as ended."""
        query = """
            INSERT INTO matches (id, referral_id, client_id, clinic_id, peer_id,
                                 peer_organisation_id, mode, state, opened_at)
            VALUES (%(id)s, %(referral_id)s, %(client_id)s, %(clinic_id)s, %(peer_id)s,
                    %(peer_organisation_id)s, %(mode)s, 'confirmed', %(now)s)
                ON CONFLICT (id) DO NOTHING
        """
        self.connection.execute(query, {**vars(match), "now": now})

    def note_contact(self, match_ids: Sequence[UUID]) -> None:
        """Work out anew when the two of each match last met: by the log, or in a session held."""
        query = """
            UPDATE matches
               SET last_contact_at = (
                    SELECT max(at)
                      FROM (
                            SELECT started_at AS at
                              FROM contact_people JOIN contacts ON contacts.id = contact_id
                             WHERE match_id = matches.id AND state = 'logged' AND people > 0
                             UNION ALL
                            SELECT starts_at
                              FROM sessions
                             WHERE match_id = matches.id AND state = 'held'
                           ) AS met
                   )
             WHERE id = ANY (%s)
        """
        self.connection.execute(query, (list(match_ids),))

    def end(self, match: Match) -> None:
        query = """
            INSERT INTO matches (id, referral_id, client_id, clinic_id, peer_id,
                                 peer_organisation_id, mode, state)
            VALUES (%(id)s, %(referral_id)s, %(client_id)s, %(clinic_id)s, %(peer_id)s,
                    %(peer_organisation_id)s, %(mode)s, 'ended')
                ON CONFLICT (id) DO UPDATE SET state = 'ended'
        """
        self.connection.execute(query, vars(match))

    def end_of_referral(self, referral_id: UUID) -> None:
        query = "UPDATE matches SET state = 'ended' WHERE referral_id = %s AND state <> 'ended'"
        self.connection.execute(query, (referral_id,))

    def correct_client(self, referral_id: UUID, client_id: UUID) -> None:
        query = """
            UPDATE matches
               SET client_id = %(client_id)s
             WHERE referral_id = %(referral_id)s AND client_id <> %(client_id)s
        """
        self.connection.execute(query, {"referral_id": referral_id, "client_id": client_id})
