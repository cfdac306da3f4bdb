"""The organisations a service knows: the one table that scans start from, without row security."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from services.chassis.work import Work

# The clinic of the probe: nobody's token names it, and no number about people counts it.
SYNTHETIC_CLINIC = UUID("5e1f7e57-0000-4000-8000-000000000001")


def remember(
    work: Work,
    *,
    id: UUID,  # noqa: A002
    kind: str,
    name: str,
    time_zone: str,
    area: str | None,
) -> None:
    """Add the organisation, or take over what changed about it."""
    query = """
        INSERT INTO organisations (id, kind, name, time_zone, area)
        VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (id) DO UPDATE
           SET name = excluded.name, time_zone = excluded.time_zone, area = excluded.area
    """
    work.connection.execute(query, (id, kind, name, time_zone, area))


def known(work: Work, ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """Name, zone and area of those of them that this service has heard of, by id."""
    query = "SELECT id, kind, name, time_zone, area FROM organisations WHERE id = ANY (%s)"
    return {row["id"]: row for row in work.connection.execute(query, (list(ids),))}
