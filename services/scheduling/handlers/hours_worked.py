"""Hours and units of a peer, as they follow from the contact log."""

from datetime import UTC, date, datetime, time, timedelta

from services.chassis.http.request import Answer, Request
from services.chassis.problems import Invalid
from services.chassis.work import Work
from services.scheduling.domain import policy
from services.scheduling.domain.units import UNITS, Every, Period, first_day_of, periods
from services.scheduling.domain.zones import local
from services.scheduling.handlers.access import caller_of, check_peer
from services.scheduling.handlers.calendars import zone_of
from services.scheduling.repository import Contacts, People, Person

_DAY = timedelta(days=1)


def show_hours(request: Request, work: Work) -> Answer:
    peer = check_peer(caller_of(request), People(work.connection).find(request.path["peer_id"]))
    zone = zone_of(peer.id, work) or "UTC"
    every: Every = request.query["every"]
    first, last = _days(request, local(work.now, zone).date(), every)
    body = {
        "peer_id": peer.id,
        "time_zone": zone,
        "every": every,
        "unit": UNITS,
        "periods": sums(peer, every, first, last, work),
    }
    return Answer(body)


def sums(peer: Person, every: Every, first: date, last: date, work: Work) -> list[Period]:
    """What was logged from one day to another; days are those of the clock beside each entry."""
    from_ = datetime.combine(first, time(), tzinfo=UTC) - _DAY
    to = datetime.combine(last, time(), tzinfo=UTC) + 2 * _DAY
    spent = Contacts(work.connection).spent(peer.id, from_, to)
    return periods([one for one in spent if first <= one.day <= last], every, UNITS)


def _days(request: Request, today: date, every: Every) -> tuple[date, date]:
    """The days asked for; by default whole weeks or months until today."""
    last: date = request.query["to"] or today
    if last > today:
        raise Invalid({"to": ["Lies in the future."]})
    first: date = request.query["from_"] or first_day_of(last - policy.HOURS_SHOWN, every)
    if first > last:
        raise Invalid({"from": ["Lies after `to`."]})
    if last - first > policy.LONGEST_HOURS:
        raise Invalid({"from": [f"At most {policy.LONGEST_HOURS.days} days are looked at."]})
    return first, last
