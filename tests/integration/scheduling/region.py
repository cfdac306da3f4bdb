"""A small region as scheduling knows it: a clinic, a peer organisation, and people on matches."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from services.chassis.http.request import Caller
from services.chassis.roles import Role
from services.scheduling.service import Scheduling
from tests import support
from tests.support import Reply, Scene, TestDatabase

# A Monday, 06:00 in Chicago.
NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
WORKDAYS = [
    {"day": day, "from": "09:00", "to": "17:00"} for day in ("mon", "tue", "wed", "thu", "fri")
]
ZONE = "America/Chicago"


@dataclass
class Pair:
    """A client and a peer whose match is confirmed."""

    peer_id: UUID = field(default_factory=uuid4)
    client_id: UUID = field(default_factory=uuid4)
    match_id: UUID = field(default_factory=uuid4)
    referral_id: UUID = field(default_factory=uuid4)


class Region:
    def __init__(self, database: TestDatabase) -> None:
        self.scene = Scene(Scheduling, database, now=NOW)
        self.scene.owners.on("referrals", "/internal/people", {"people": []})
        self.clinic_id, self.organisation_id = uuid4(), uuid4()
        self.coordinator = support.coordinator(self.clinic_id, self.organisation_id)
        self.clinic = support.clinic(self.clinic_id)
        self.supervisor = support.caller(Role.SUPERVISOR, self.organisation_id)
        self.stranger = support.coordinator(uuid4())
        self.hear_of_organisations(self.clinic_id, self.organisation_id)

    def close(self) -> None:
        self.scene.close()

    def peer(self, pair: Pair) -> Caller:
        return support.peer(self.organisation_id, person=pair.peer_id)

    def client(self, pair: Pair) -> Caller:
        return support.client(self.clinic_id, person=pair.client_id)

    def hear_of_organisations(self, clinic_id: UUID, organisation_id: UUID) -> None:
        facts = {"name": "Invented", "time_zone": ZONE, "area": None}
        self.scene.receive(
            "clinic.registered.v1",
            {"clinic_id": clinic_id, **facts},
            subject=clinic_id,
            org=clinic_id,
        )
        self.scene.receive(
            "peer_organisation.registered.v1",
            {"peer_organisation_id": organisation_id, **facts},
            subject=organisation_id,
            org=organisation_id,
        )

    def hear_of_peer(self, peer_id: UUID) -> None:
        facts = {
            "peer_id": peer_id,
            "peer_organisation_id": self.organisation_id,
            "time_zone": ZONE,
            "state": "active",
        }
        self.scene.receive("peer.registered.v1", facts, subject=peer_id, org=self.organisation_id)

    def match_facts(self, pair: Pair) -> dict[str, Any]:
        return {
            "match_id": pair.match_id,
            "referral_id": pair.referral_id,
            "client_id": pair.client_id,
            "clinic_id": self.clinic_id,
            "peer_id": pair.peer_id,
            "peer_organisation_id": self.organisation_id,
        }

    def hear_of_match(self, type: str, pair: Pair, **more: Any) -> None:  # noqa: A002
        self.scene.receive(
            type,
            {**self.match_facts(pair), "round": 1, **more},
            subject=pair.match_id,
            org=self.organisation_id,
            clinicorg=self.clinic_id,
        )

    def hear_of_referral(self, type: str, pair: Pair, **more: Any) -> None:  # noqa: A002
        self.scene.receive(
            type,
            {"referral_id": pair.referral_id, "clinic_id": self.clinic_id, **more},
            subject=pair.referral_id,
            org=self.clinic_id,
        )

    def pair(self, **more: UUID) -> Pair:
        """A confirmed match whose peer has hours on workdays."""
        pair = Pair(**more)
        self.hear_of_peer(pair.peer_id)
        self.hear_of_match("match.confirmed.v1", pair, mode="video")
        if "peer_id" not in more:
            assert self.give_hours(self.peer(pair), pair.peer_id).status == 200
        return pair

    def give_hours(self, caller: Caller, person_id: UUID, **change: Any) -> Reply:
        body = {"time_zone": ZONE, "weekly": WORKDAYS, **change}
        return self.scene.call("put_availability", caller, body, path={"person_id": person_id})

    def times(self, caller: Caller, pair: Pair, **query: Any) -> Reply:
        return self.scene.call("show_times", caller, path={"match_id": pair.match_id}, query=query)

    def book(self, caller: Caller, pair: Pair, starts_at: str, **more: Any) -> Reply:
        body = {"match_id": pair.match_id, "starts_at": starts_at, **more}
        return self.scene.call("book", caller, body)

    def booked(self, pair: Pair, starts_at: str, **more: Any) -> str:
        reply = self.book(self.coordinator, pair, starts_at, **more)
        assert reply.status == 201, reply.text
        return str(reply.json["id"])

    def show(self, session_id: str, caller: Caller | None = None) -> Reply:
        path = {"session_id": session_id}
        return self.scene.call("show_session", caller or self.coordinator, path=path)

    def act(self, action: str, caller: Caller, session_id: str, body: Any = None) -> Reply:
        """Do something with a session as it stands now."""
        etag = self.show(session_id).etag
        return self.scene.call(
            action, caller, body or {}, path={"session_id": session_id}, if_match=etag
        )

    def told(self, session_id: str) -> list[tuple[str, dict[str, Any]]]:
        """The session's events, in the order in which they leave."""
        return [(t, data) for t, data in self.scene.events() if data["session_id"] == session_id]

    def log(self, caller: Caller, started_at: str, **more: Any) -> Reply:
        body = {
            "kind": "conversation",
            "setting": "phone",
            "minutes": 30,
            "started_at": started_at,
            **more,
        }
        return self.scene.call("log_contact", caller, body)

    def logged(self, pair: Pair, started_at: str, **more: Any) -> str:
        """An entry in the peer's log about the pair's client."""
        reply = self.log(self.peer(pair), started_at, **{"match_ids": [pair.match_id], **more})
        assert reply.status == 201, reply.text
        return str(reply.json["id"])

    def claims(self) -> list[dict[str, Any]]:
        return self.scene.rows("SELECT session_id, kind, resource_id, during FROM claims")
