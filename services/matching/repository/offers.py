"""Offers: one peer whose place is held, and alternates."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.database import Connection

Row = dict[str, Any]


@dataclass(frozen=True)
class Offers:
    connection: Connection

    def add(self, offer: Mapping[str, Any]) -> None:
        query = """
            INSERT INTO offers (id, match_id, referral_id, client_id, clinic_id, peer_id,
                                peer_organisation_id, answer_by, order_reason, offered_at)
            VALUES (%(id)s, %(match_id)s, %(referral_id)s, %(client_id)s, %(clinic_id)s,
                    %(peer_id)s, %(peer_organisation_id)s, %(answer_by)s, %(order_reason)s,
                    %(offered_at)s)
        """
        self.connection.execute(query, offer)

    def add_peers(self, rows: Iterable[Row]) -> None:
        query = """
            INSERT INTO offered_peers (offer_id, clinic_id, peer_id, peer_organisation_id,
                                       position, modes)
            VALUES (%(offer_id)s, %(clinic_id)s, %(peer_id)s, %(peer_organisation_id)s,
                    %(position)s, %(modes)s)
                ON CONFLICT (offer_id, peer_id) DO NOTHING
        """
        with self.connection.cursor() as cursor:
            cursor.executemany(query, list(rows))

    def find(self, offer_id: UUID) -> Row | None:
        query = """
            SELECT id, match_id, referral_id, client_id, clinic_id, peer_id, peer_organisation_id,
                   state, answer_by, version
              FROM offers
             WHERE id = %s
        """
        return self.connection.execute(query, (offer_id,)).fetchone()

    def peers(self, offer_id: UUID) -> list[Row]:
        query = """
            SELECT peer_id, peer_organisation_id, position, modes
              FROM offered_peers
             WHERE offer_id = %s
             ORDER BY position
        """
        return self.connection.execute(query, (offer_id,)).fetchall()

    def of_referral(self, referral_id: UUID) -> list[Row]:
        """Every offer of every round, the latest first, with the names in their order."""
        query = """
            SELECT offers.id, offers.state, offered_at, answer_by, answered_at, declined_by,
                   choice_recorded_how, acceptance_recorded_how, held.display_name AS chosen,
                   array_agg(peers.display_name ORDER BY position) AS names
              FROM offers
              JOIN peers AS held ON held.id = offers.peer_id
              JOIN offered_peers ON offered_peers.offer_id = offers.id
              JOIN peers ON peers.id = offered_peers.peer_id
             WHERE referral_id = %s
             GROUP BY offers.id, held.display_name
             ORDER BY offered_at DESC, offers.id
        """
        return self.connection.execute(query, (referral_id,)).fetchall()

    def choose(
        self,
        offer_id: UUID,
        *,
        peer_id: UUID,
        peer_organisation_id: UUID,
        answer_by: datetime,
        how: str | None,
        now: datetime,
    ) -> None:
        query = """
            UPDATE offers
               SET state = 'chosen', peer_id = %s, peer_organisation_id = %s, answer_by = %s,
                   choice_recorded_how = %s, answered_at = %s, version = version + 1
             WHERE id = %s
        """
        given = (peer_id, peer_organisation_id, answer_by, how, now, offer_id)
        self.connection.execute(query, given)

    def change_client(self, match_id: UUID, client_id: UUID) -> None:
        query = "UPDATE offers SET client_id = %s, version = version + 1 WHERE match_id = %s"
        self.connection.execute(query, (client_id, match_id))

    def accept(self, offer_id: UUID, how: str | None, now: datetime) -> None:
        query = """
            UPDATE offers
               SET state = 'accepted', acceptance_recorded_how = %s, answered_at = %s,
                   version = version + 1
             WHERE id = %s
        """
        self.connection.execute(query, (how, now, offer_id))

    def note_no(self, offer_id: UUID, by: str) -> None:
        """Whose no it was, for staff who look at the match later."""
        query = "UPDATE offers SET declined_by = %s WHERE id = %s AND state IN ('open', 'chosen')"
        self.connection.execute(query, (by, offer_id))

    def close(self, offer_id: UUID, state: str, now: datetime) -> None:
        """End an offer that was not accepted; an accepted one stays so, for the record."""
        query = """
            UPDATE offers
               SET state = %s, answered_at = %s, version = version + 1
             WHERE id = %s AND state IN ('open', 'chosen')
        """
        self.connection.execute(query, (state, now, offer_id))
