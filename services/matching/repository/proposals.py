"""Proposals for all who wait together, and those whom a proposal is made for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from services.chassis.database import Connection
from services.matching.repository.matches import with_ids

Row = dict[str, Any]


@dataclass(frozen=True)
class Proposals:
    connection: Connection

    def who_waits(self) -> list[Row]:
        """The needs of all who have nobody and may be offered somebody now, in a fixed order."""
        query = """
            SELECT matches.id AS match_id, needs.*,
                   ARRAY (SELECT peer_id FROM former_peers
                           WHERE former_peers.referral_id = needs.referral_id
                           ORDER BY peer_id) AS former_peer_ids
              FROM matches
              JOIN needs USING (referral_id)
             WHERE matches.state IN ('waiting', 'shortlisted') AND accepted AND NOT paused
             ORDER BY matches.id
        """
        return self.connection.execute(query).fetchall()

    def add(
        self, proposal: Mapping[str, Any], pairs: Iterable[Row], prices: Iterable[tuple[UUID, int]]
    ) -> None:
        query = """
            INSERT INTO proposals (id, made_at, clinic_ids, policy_version, is_best, value, bound,
                                   people, served, input_sha256)
            VALUES (%(id)s, %(made_at)s, %(clinic_ids)s, %(policy_version)s, %(is_best)s,
                    %(value)s, %(bound)s, %(people)s, %(served)s, %(input_sha256)s)
        """
        self.connection.execute(query, proposal)
        made_from = """
            INSERT INTO proposal_inputs (proposal_id, clinic_ids, content)
            VALUES (%(id)s, %(clinic_ids)s, %(input)s)
        """
        self.connection.execute(made_from, proposal)
        lines = """
            INSERT INTO proposed_pairs (proposal_id, match_id, clinic_id, peer_id,
                                        peer_organisation_id, points)
            SELECT %(id)s, match_id, clinic_id, peer_id, peer_organisation_id, points
              FROM jsonb_to_recordset(%(rows)s)
                   AS row (match_id uuid, clinic_id uuid, peer_id uuid, peer_organisation_id uuid,
                           points integer)
        """
        rows = Jsonb(list(pairs), dumps=with_ids)
        self.connection.execute(lines, {"id": proposal["id"], "rows": rows})
        told = """
            INSERT INTO proposal_prices (proposal_id, peer_id, peer_organisation_id, price)
            SELECT %(id)s, peer_id, peers.peer_organisation_id, price
              FROM unnest(%(peer_ids)s::uuid[], %(prices)s::bigint[]) AS row (peer_id, price)
              JOIN peers ON peers.id = peer_id
        """
        priced = dict(prices)
        given = {"id": proposal["id"], "peer_ids": [*priced], "prices": [*priced.values()]}
        self.connection.execute(told, given)

    def find(self, proposal_id: UUID) -> Row | None:
        query = """
            SELECT proposals.*, content AS input
              FROM proposals
              LEFT JOIN proposal_inputs ON proposal_id = id
             WHERE id = %s
        """
        return self.connection.execute(query, (proposal_id,)).fetchone()

    def pairs(self, proposal_id: UUID) -> dict[UUID, Row]:
        query = "SELECT match_id, peer_id, points FROM proposed_pairs WHERE proposal_id = %s"
        rows = self.connection.execute(query, (proposal_id,))
        return {row["match_id"]: row for row in rows}

    def prices(self, proposal_id: UUID) -> dict[UUID, int]:
        query = "SELECT peer_id, price FROM proposal_prices WHERE proposal_id = %s"
        rows = self.connection.execute(query, (proposal_id,))
        return {row["peer_id"]: row["price"] for row in rows}

    def latest(self) -> Row | None:
        query = """
            SELECT id, made_at, is_best, value, bound, people, served
              FROM proposals
             ORDER BY made_at DESC, id
             LIMIT 1
        """
        return self.connection.execute(query).fetchone()

    def latest_for(self, match_id: UUID) -> UUID | None:
        """The peer of the latest proposal that the person is in."""
        query = """
            SELECT peer_id
              FROM proposed_pairs
              JOIN proposals ON proposals.id = proposal_id
             WHERE match_id = %s
             ORDER BY made_at DESC, proposals.id
             LIMIT 1
        """
        row = self.connection.execute(query, (match_id,)).fetchone()
        return row["peer_id"] if row else None

    def still_open(self, proposal_id: UUID, limit: int) -> list[Row]:
        """Pairs of clinics that the transaction acts for, whose person still has nobody."""
        query = """
            SELECT proposed_pairs.match_id, matches.referral_id, matches.version, received_at,
                   proposed_pairs.clinic_id, proposed_pairs.peer_id,
                   proposed_pairs.peer_organisation_id, proposed_pairs.points, peers.display_name,
                   position
              FROM proposed_pairs
              JOIN matches ON matches.id = match_id
              JOIN peers ON peers.id = proposed_pairs.peer_id
              LEFT JOIN shortlisted_peers AS listed
                ON listed.match_id = matches.id AND listed.peer_id = proposed_pairs.peer_id
             WHERE proposal_id = %s AND matches.state = 'shortlisted'
             ORDER BY received_at, matches.id
             LIMIT %s
        """
        return self.connection.execute(query, (proposal_id, limit)).fetchall()

    def remove_inputs_of_ended(self) -> None:
        """Where somebody is no longer looked for, what was known of them goes."""
        query = """
            DELETE FROM proposal_inputs
             WHERE EXISTS (SELECT FROM proposed_pairs
                             LEFT JOIN matches ON matches.id = match_id
                            WHERE proposed_pairs.proposal_id = proposal_inputs.proposal_id
                              AND (matches.id IS NULL OR matches.state = 'ended'))
        """
        self.connection.execute(query)

    def forget(self, before: datetime) -> int:
        query = "DELETE FROM proposals WHERE made_at < %s"
        return self.connection.execute(query, (before,)).rowcount
