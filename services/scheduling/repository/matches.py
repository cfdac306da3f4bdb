"""Matches as far as sessions hang on them."""

from dataclasses import dataclass
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

    def confirm(self, match: Match) -> None:
        """Add the match, unless it is known already, perhaps as ended."""
        query = """
            INSERT INTO matches (id, referral_id, client_id, clinic_id, peer_id,
                                 peer_organisation_id, mode, state)
            VALUES (%(id)s, %(referral_id)s, %(client_id)s, %(clinic_id)s, %(peer_id)s,
                    %(peer_organisation_id)s, %(mode)s, 'confirmed')
                ON CONFLICT (id) DO NOTHING
        """
        self.connection.execute(query, vars(match))

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
