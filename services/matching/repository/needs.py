"""What open referrals need, and whom they are not proposed again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.database import Connection

Row = dict[str, Any]


@dataclass(frozen=True)
class Needs:
    connection: Connection

    def store(self, need: Mapping[str, Any]) -> None:
        query = """
            INSERT INTO needs (referral_id, client_id, clinic_id, received_at, accepted, languages,
                               modes, postal_code, area, is_minor, topics, access_needs,
                               peer_genders, peer_age_bands, excluded_peer_ids,
                               peer_organisation_ids, preferred_channel, time_zone, paused,
                               urgency)
            VALUES (%(referral_id)s, %(client_id)s, %(clinic_id)s, %(received_at)s, %(accepted)s,
                    %(languages)s, %(modes)s, %(postal_code)s, %(area)s, %(is_minor)s, %(topics)s,
                    %(access_needs)s, %(peer_genders)s, %(peer_age_bands)s,
                    %(excluded_peer_ids)s, %(peer_organisation_ids)s, %(preferred_channel)s,
                    %(time_zone)s, %(paused)s, %(urgency)s)
                ON CONFLICT (referral_id) DO UPDATE
               SET accepted = needs.accepted OR excluded.accepted,
                   languages = excluded.languages, modes = excluded.modes,
                   postal_code = excluded.postal_code, area = excluded.area,
                   is_minor = excluded.is_minor, topics = excluded.topics,
                   access_needs = excluded.access_needs, peer_genders = excluded.peer_genders,
                   peer_age_bands = excluded.peer_age_bands,
                   excluded_peer_ids = excluded.excluded_peer_ids,
                   peer_organisation_ids = excluded.peer_organisation_ids,
                   preferred_channel = excluded.preferred_channel,
                   time_zone = excluded.time_zone, paused = excluded.paused,
                   urgency = excluded.urgency
        """
        self.connection.execute(query, need)

    def find(self, referral_id: UUID) -> Row | None:
        query = """
            SELECT referral_id, client_id, clinic_id, received_at, accepted, languages, modes,
                   postal_code, area, is_minor, topics, access_needs, peer_genders,
                   peer_age_bands, excluded_peer_ids, peer_organisation_ids, preferred_channel,
                   time_zone, paused
              FROM needs
             WHERE referral_id = %s
        """
        return self.connection.execute(query, (referral_id,)).fetchone()

    def accept(self, referral_id: UUID) -> None:
        query = "UPDATE needs SET accepted = true WHERE referral_id = %s"
        self.connection.execute(query, (referral_id,))

    def note_pause(self, referral_id: UUID, *, paused: bool) -> None:
        query = "UPDATE needs SET paused = %s WHERE referral_id = %s"
        self.connection.execute(query, (paused, referral_id))

    def change_client(self, referral_id: UUID, client_id: UUID) -> None:
        query = "UPDATE needs SET client_id = %s WHERE referral_id = %s"
        self.connection.execute(query, (client_id, referral_id))

    def forget(self, referral_id: UUID) -> None:
        self.connection.execute("DELETE FROM needs WHERE referral_id = %s", (referral_id,))


@dataclass(frozen=True)
class FormerPeers:
    connection: Connection

    def add(
        self, referral_id: UUID, clinic_id: UUID, peer_ids: Iterable[UUID], now: datetime
    ) -> None:
        query = """
            INSERT INTO former_peers (referral_id, clinic_id, peer_id, since)
            SELECT %s, %s, peer_id, %s FROM unnest(%s::uuid[]) AS peer_id
                ON CONFLICT (referral_id, peer_id) DO NOTHING
        """
        self.connection.execute(query, (referral_id, clinic_id, now, list(peer_ids)))

    def of(self, referral_id: UUID) -> frozenset[UUID]:
        query = "SELECT peer_id FROM former_peers WHERE referral_id = %s"
        rows = self.connection.execute(query, (referral_id,))
        return frozenset(row["peer_id"] for row in rows)
