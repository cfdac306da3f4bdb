"""Consents, one in force for each referral."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.database import Connection

Row = dict[str, Any]


@dataclass(frozen=True)
class Consents:
    connection: Connection

    def add(self, consent: Mapping[str, Any]) -> None:
        query = """
            INSERT INTO consents
                (id, referral_id, clinic_id, given_on, scope, recipients, evidence, ends_at,
                 recorded_at)
            VALUES (%(id)s, %(referral_id)s, %(clinic_id)s, %(given_on)s, %(scope)s,
                    %(recipients)s, %(evidence)s, %(ends_at)s, %(recorded_at)s)
        """
        self.connection.execute(query, consent)

    def in_force(self, referral_ids: Sequence[UUID]) -> list[Row]:
        query = """
            SELECT referral_id, given_on, scope, recipients, evidence, ends_at
              FROM consents
             WHERE referral_id = ANY (%s) AND ended_at IS NULL
        """
        return self.connection.execute(query, [list(referral_ids)]).fetchall()

    def end(self, referral_id: UUID, *, at: datetime, cause: str) -> None:
        query = """
            UPDATE consents SET ended_at = %s, end_cause = %s
             WHERE referral_id = %s AND ended_at IS NULL
        """
        self.connection.execute(query, [at, cause, referral_id])

    def narrow(self, referral_id: UUID, *, without: str) -> None:
        query = """
            UPDATE consents SET scope = array_remove(scope, %s)
             WHERE referral_id = %s AND ended_at IS NULL
        """
        self.connection.execute(query, [without, referral_id])

    def due(self, now: datetime, limit: int) -> list[UUID]:
        query = """
            SELECT referral_id
              FROM consents
             WHERE ended_at IS NULL AND ends_at <= %s
             ORDER BY ends_at, referral_id
             LIMIT %s
        """
        return [row["referral_id"] for row in self.connection.execute(query, [now, limit])]
