"""Scans of paper consents; the picture itself is read only where it is handed out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.chassis.database import Connection

Row = dict[str, Any]


@dataclass(frozen=True)
class ConsentScans:
    connection: Connection

    def put(self, scan: Mapping[str, Any]) -> None:
        query = """
            INSERT INTO consent_scans
                (referral_id, clinic_id, media_type, content, added_at, added_by_role)
            VALUES (%(referral_id)s, %(clinic_id)s, %(media_type)s, %(content)s, %(added_at)s,
                    %(added_by_role)s)
                ON CONFLICT (referral_id) DO UPDATE
               SET media_type = excluded.media_type, content = excluded.content,
                   added_at = excluded.added_at, added_by_role = excluded.added_by_role
        """
        self.connection.execute(query, scan)

    def of(self, referral_id: UUID) -> Row | None:
        query = """
            SELECT media_type, octet_length(content) AS bytes, added_at
              FROM consent_scans
             WHERE referral_id = %s
        """
        return self.connection.execute(query, [referral_id]).fetchone()

    def get(self, referral_id: UUID) -> Row | None:
        query = "SELECT media_type, content FROM consent_scans WHERE referral_id = %s"
        return self.connection.execute(query, [referral_id]).fetchone()
