"""Matching with a clinic, two peer organisations and a few peers, and a referral to match."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

from services.chassis.http.request import Caller
from services.chassis.roles import Role
from tests import support
from tests.support import Reply, Scene

T = TypeVar("T")


@dataclass
class Story:
    """Drives the scene in the story's words."""

    scene: Scene
    clinic_id: UUID = field(default_factory=uuid4)
    peer_org: UUID = field(default_factory=uuid4)
    client_id: UUID = field(default_factory=uuid4)
    needs: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    accounts: int = 0

    def __post_init__(self) -> None:
        self.scene.owners.on("referrals", "/internal/needs", self._tell_needs)
        self.operator = support.caller(Role.OPERATOR)
        self.coordinator = support.coordinator(self.clinic_id, self.peer_org)
        self.clinic = support.clinic(self.clinic_id)
        self.client = support.client(self.clinic_id, person=self.client_id)
        self.register_organisation(self.peer_org)
        facts = {"clinic_id": self.clinic_id, "name": "North Clinic"}
        self.scene.receive(
            "clinic.registered.v1",
            {**facts, "time_zone": "America/Chicago", "area": "Okmulgee County"},
            subject=self.clinic_id,
            org=self.clinic_id,
        )

    def _tell_needs(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"needs": [self.needs[one] for one in body["ids"] if one in self.needs]}

    def register_organisation(self, organisation_id: UUID) -> Reply:
        body = {"name": "Peers", "time_zone": "America/Chicago", "area": "Okmulgee County"}
        path = {"peer_organisation_id": organisation_id}
        return self.scene.call("put_peer_organisation", self.operator, body, path=path)

    def peer_body(self, **facts: Any) -> dict[str, Any]:
        self.accounts += 1
        return {
            "display_name": f"Peer {self.accounts}",
            "email": f"peer{self.accounts}@example.org",
            "languages": ["en"],
            "postal_code": "74047",
            "modes": ["in-person", "video", "phone"],
            "topics": ["grief"],
            "capacity": 2,
            "certified_until": "2099-12-31",
            "time_zone": "America/Chicago",
            **facts,
        }

    def add_peer(self, **facts: Any) -> UUID:
        org = facts.pop("org", self.peer_org)
        coordinator = support.coordinator(self.clinic_id, org)
        body = self.peer_body(organisation_id=org, **facts)
        reply = self.scene.call("add_peer", coordinator, body)
        assert reply.status == 201, reply.text
        return UUID(reply.json["id"])

    def peer(self, peer_id: UUID, org: UUID | None = None) -> Caller:
        return support.peer(org or self.peer_org, person=peer_id)

    def need(self, **facts: Any) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "clinic_id": self.clinic_id,
            "languages": ["en"],
            "modes": ["in-person", "video", "phone"],
            "postal_code": "74047",
            "area": None,
            "is_minor": False,
            "preferences": {"peer_gender": None, "peer_age_band": None},
            "topics": ["grief", "work"],
            "access_needs": [],
            "urgency": "routine",
            "excluded_peer_ids": [],
            "preferred_channel": "email",
            "time_zone": "America/Chicago",
            "received_at": "2026-11-01T15:00:00Z",
            "accepted": True,
            **facts,
        }

    def refer(self, **facts: Any) -> UUID:
        """A referral with valid consent, submitted and ranked."""
        referral_id = uuid4()
        self.needs[referral_id] = self.need(referral_id=referral_id, **facts)
        self.hear("referral.submitted.v1", referral_id)
        return referral_id

    def hear(self, event: str, referral_id: UUID, **facts: Any) -> None:
        data = {"referral_id": referral_id, "clinic_id": self.clinic_id, **facts}
        self.scene.receive(event, data, subject=referral_id, org=self.clinic_id)

    def correct(self, referral_id: UUID, **facts: Any) -> None:
        told = {"client_id": self.client_id, "needs_changed": True, **facts}
        self.hear("referral.corrected.v1", referral_id, **told)

    def shortlist(self, referral_id: UUID) -> Reply:
        path = {"referral_id": referral_id}
        return self.scene.call("read_shortlist", self.coordinator, path=path)

    def offer(self, referral_id: UUID, **body: Any) -> Reply:
        etag = self.shortlist(referral_id).etag
        path = {"referral_id": referral_id}
        return self.scene.call("offer", self.coordinator, body, path=path, if_match=etag)

    def choose(self, offer_id: str, caller: Caller | None = None, **body: Any) -> Reply:
        path = {"offer_id": offer_id}
        return self.scene.call("choose", caller or self.client, body, path=path)

    def act(self, name: str, match_id: str, caller: Caller, **body: Any) -> Reply:
        etag = self.match(match_id).etag if caller.is_staff else None
        path = {"match_id": match_id}
        return self.scene.call(name, caller, body, path=path, if_match=etag)

    def match(self, match_id: str) -> Reply:
        return self.scene.call("read_match", self.coordinator, path={"match_id": match_id})

    def confirmed(self, referral_id: UUID) -> dict[str, Any]:
        """The match after offer, choice and acceptance."""
        offered = self.offer(referral_id).json
        self.choose(offered["id"])
        reply = self.act("accept", offered["match_id"], self.peer(UUID(offered["peer_id"])))
        assert reply.status == 200, reply.text
        body: dict[str, Any] = reply.json
        return body

    def pass_time_and_rank(self, change: Callable[[], T]) -> T:
        """What changes among the peers, after which whoever waits is ranked again."""
        self.scene.run_timer("rank_the_waiting")
        self.scene.pass_time(minutes=5)
        changed = change()
        self.scene.run_timer("rank_the_waiting")
        return changed

    def types(self) -> list[str]:
        return [name for name, _ in self.scene.events()]

    def held_places(self) -> dict[UUID, int]:
        """What `places` has to be: one for each match that holds a place."""
        query = """
            SELECT peers.id, count(matches.id) AS held
              FROM peers
              LEFT JOIN matches ON matches.peer_id = peers.id
                   AND matches.state IN ('offered', 'chosen', 'confirmed', 'active')
             GROUP BY peers.id
        """
        return {row["id"]: row["held"] for row in self.scene.rows(query)}

    def places(self) -> dict[UUID, int]:
        rows = self.scene.rows("SELECT id, places_taken FROM peers")
        return {row["id"]: row["places_taken"] for row in rows}
