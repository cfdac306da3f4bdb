"""What a session looks like to whoever asks: a clinic is shown its status only."""

from typing import Any

from services.chassis.http.request import Caller
from services.chassis.roles import Role
from services.chassis.work import Work
from services.scheduling.domain.sessions import Session
from services.scheduling.domain.zones import local
from services.scheduling.repository import Rooms

_FOR_CLINICS = ("id", "match_id", "referral_id", "client_id", "clinic_id", "state")


def session_view(session: Session, caller: Caller, work: Work) -> dict[str, Any]:
    if caller.role == Role.CLINIC:
        return {name: getattr(session, name) for name in _FOR_CLINICS}
    return {
        **vars(session),
        "wall_starts_at": local(session.starts_at, session.time_zone),
        "place": place_of(session, work),
    }


def place_of(session: Session, work: Work) -> str | None:
    """The room's name and area, for those who go there."""
    if session.room_id is None:
        return None
    work.act_for([session.peer_organisation_id])
    room = Rooms(work.connection).find(session.room_id)
    return room.place if room else None
