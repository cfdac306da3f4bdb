"""What rows say of a person whom a clinic knows, and of what they agreed to."""

from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from deploy.importing.table import Row

_NOON = time(12)
PERSON_COLUMNS: Final = (
    "clinic",
    "record_number",
    "given_name",
    "family_name",
    "birth_date",
    "email",
    "phone",
    "languages",
    "postal_code",
    "time_zone",
    "modes",
    "topics",
    "received_on",
    "consent_given_on",
    "consent_until",
)


def body_of(row: Row) -> dict[str, Any]:
    """A referral as the API takes it, without what was agreed to."""
    zone, received = row.needed("time_zone"), row.day("received_on")
    client = {
        "given_name": row.needed("given_name"),
        "family_name": row.needed("family_name"),
        "birth_date": row.needed("birth_date"),
        "record_number": row.needed("record_number"),
        "email": row.text("email"),
        "phone": row.text("phone"),
        "languages": row.texts("languages"),
        "postal_code": row.needed("postal_code"),
        "time_zone": zone,
    }
    return {
        "external_reference": f"import/{client['record_number']}",
        "client": {name: value for name, value in client.items() if value},
        "modes": row.texts("modes"),
        "topics": row.texts("topics"),
        "received_at": _noon(row, received, zone),
    }


def consent_of(row: Row, given_on: str | None) -> dict[str, Any]:
    consent = {"given_on": given_on, "until": row.text("consent_until")}
    return {name: value for name, value in consent.items() if value}


def _noon(row: Row, day: date | None, zone: str) -> str:
    """Of that day where the person lives: nobody remembers the hour."""
    try:
        place = ZoneInfo(zone)
    except (ValueError, OSError):
        row.problems.append("time_zone is not known")
        return ""
    moment = datetime.combine(day, _NOON, tzinfo=place) if day else datetime.now(UTC)
    return moment.astimezone(UTC).isoformat()
