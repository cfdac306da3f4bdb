"""Rows of appointments to come that two people agreed on before Kindred.

Nobody is told what they know already; they are reminded of it like of any session.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from deploy.importing.kinds import ADDED, UNCHANGED, Kind, accepted, same_key, uuid_of
from deploy.importing.table import Row, WrongRow
from deploy.region.api import Account, Api

_SESSIONS = "/api/scheduling/sessions"
_TOGETHER = ("confirmed", "active")  # another referral of theirs may have ended before
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Appointment:
    clinic: str
    record_number: str
    peer_organisation: str
    starts_at: datetime
    booked: dict[str, Any]


def parse(row: Row) -> Appointment:
    starts_at = _moment(row, row.day("day"), row.needed("time"), row.needed("time_zone"))
    booked = {
        "starts_at": starts_at.isoformat(),
        "minutes": row.number("minutes"),
        "mode": row.text("mode"),
        "existing": True,
        "outside_availability": True,
    }
    found = Appointment(
        uuid_of(row, "clinic"),
        row.needed("record_number"),
        uuid_of(row, "peer_organisation"),
        starts_at,
        {name: value for name, value in booked.items() if value is not None},
    )
    row.check()
    return found


def _moment(row: Row, day: date | None, clock: str, zone: str) -> datetime:
    """By the clock where they meet; of an hour that comes twice, the first."""
    wall = time.fromisoformat(clock) if _CLOCK.fullmatch(clock) else None
    if clock and wall is None:
        row.problems.append("time is not like 14:30")
    place = ZoneInfo(zone) if zone in available_timezones() else None
    if zone and place is None:
        row.problems.append("time_zone is not known")
    now = datetime.now(UTC)
    if day is None or wall is None or place is None:
        return now  # refused for what was noted
    local = datetime.combine(day, wall, tzinfo=place)
    moment = local.astimezone(UTC)
    if moment.astimezone(place).replace(tzinfo=None) != local.replace(tzinfo=None):
        row.problems.append("time is left out by the clocks on that day")
    elif moment <= now:
        row.problems.append("day and time lie in the past")
    return moment


class Appointments:
    def __init__(self, api: Api, rows: Iterable[Appointment]) -> None:
        self.api = api
        found = list(rows)
        clinics = {one.clinic for one in found}
        organisations = {one.peer_organisation for one in found}
        self.account = Account("coordinator", "import", tuple(sorted(clinics | organisations)))
        self._matches: dict[tuple[str, str], str] = {}
        for referral in api.all("/api/referrals/referrals", by=self.account):
            number, match = referral["client"].get("record_number"), referral["match"]
            if number and match and match["state"] in _TOGETHER:
                self._matches[referral["clinic_id"], number] = match["match_id"]

    def bring(self, row: Appointment) -> str:
        match_id = self._matches.get((row.clinic, row.record_number))
        if match_id is None:
            raise WrongRow("record_number has no match at this clinic")
        listed = self.api.all(_SESSIONS, by=self.account, match_id=match_id)
        if any(datetime.fromisoformat(one["starts_at"]) == row.starts_at for one in listed):
            return UNCHANGED  # also where it was cancelled since: that was somebody's wish
        body = {**row.booked, "match_id": match_id}
        key = {"Idempotency-Key": same_key("appointment", sorted(body.items()))}
        accepted(self.api.call("POST", _SESSIONS, by=self.account, body=body, headers=key))
        return ADDED

    def bring_many(self, _: Sequence[Appointment]) -> None:
        return None

    def complete(self, _: Appointment, outcome: str) -> str:
        return outcome


KIND = Kind(
    ("clinic", "record_number", "peer_organisation", "day", "time", "time_zone", "minutes", "mode"),
    "appointments to come of people who have a peer; day and time are by the clock of time_zone, "
    "both are reminded and not told anew",
    parse,
    Appointments,
    together=lambda appointment: f"{appointment.clinic} {appointment.record_number}",
)
