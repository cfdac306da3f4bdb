"""The clinics, people and requests that the referrals tests speak of."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from services.chassis.roles import OPERATOR
from tests.support import Reply, Scene, caller, clinic, coordinator

CLINIC = UUID(int=1)
OTHER_CLINIC = UUID(int=2)
PEER_ORGANISATION = UUID(int=3)
MATCH = UUID(int=4)

CLERK = clinic(CLINIC)
OTHER_CLERK = clinic(OTHER_CLINIC)
COORDINATOR = coordinator(CLINIC)
STRANGER = coordinator(OTHER_CLINIC)
OPERATING = caller(OPERATOR)

CLIENT: dict[str, Any] = {
    "given_name": "Amy",
    "family_name": "Baxter",
    "birth_date": "1987-02-20",
    "record_number": "1032702",
    "email": "amy.shaw@example.com",
    "preferred_channel": "email",
    "languages": ["es"],
    "time_zone": "America/Chicago",
    "postal_code": "74048",
}
CONSENT: dict[str, Any] = {"until": "2099-12-31"}


def referral(client: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"client": {**CLIENT, **(client or {})}, "consent": CONSENT, **more}


@dataclass
class Desk:
    """What staff and other services do with referrals, in short."""

    scene: Scene

    def register(self, clinic_id: UUID, **more: Any) -> Reply:
        body = {"name": "Holy Healthcare", "time_zone": "America/Chicago", **more}
        return self.scene.call("put_clinic", OPERATING, body, path={"clinic_id": clinic_id})

    def submit(self, body: dict[str, Any] | None = None, by: Any = CLERK) -> dict[str, Any]:
        reply = self.scene.call("submit_referral", by, referral() if body is None else body)
        assert reply.status == 201, reply.text
        found: dict[str, Any] = reply.json
        return found

    def read(self, referral_id: str, by: Any = COORDINATOR) -> Reply:
        return self.scene.call("read_referral", by, path={"referral_id": referral_id})

    def do(self, route: str, referral_id: str, by: Any = COORDINATOR, body: Any = None) -> Reply:
        """Act on a referral as somebody who has just read it."""
        seen = self.read(referral_id, by)
        tag = seen.etag if seen.status == 200 else '"1"'
        path = {"referral_id": referral_id}
        return self.scene.call(route, by, body, path=path, if_match=tag)

    def tasks(self, by: Any = COORDINATOR, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.scene.call("list_tasks", by, query=query).json["items"]
        return found

    def match(self, event: str, of: dict[str, Any], *, round: int = 1, **more: Any) -> None:  # noqa: A002
        self.follow(
            f"match.{event}.v1",
            of,
            MATCH if round == 1 else UUID(int=40 + round),
            round=round,
            **more,
        )

    def follow(self, name: str, of: dict[str, Any], subject: UUID, **more: Any) -> None:
        data = {
            "match_id": subject,
            "referral_id": of["id"],
            "client_id": of["client_id"],
            "clinic_id": of["clinic_id"],
            "peer_organisation_id": PEER_ORGANISATION,
            **more,
        }
        self.scene.receive(
            name, data, subject=subject, org=PEER_ORGANISATION, clinicorg=UUID(of["clinic_id"])
        )

    def message(
        self, event: str, of: dict[str, Any], message_id: UUID | None = None, **more: Any
    ) -> None:
        message_id = message_id or uuid4()
        facts = {"message_id": message_id, "kind": "invitation", "recipient": "client", **more}
        self.follow(f"notification.{event}.v1", of, message_id, **facts)

    def ask(self, path: str, caller: str, purpose: str, body: Any) -> dict[str, Any]:
        orgs = (CLINIC, OTHER_CLINIC)
        reply = self.scene.ask(path, caller=caller, purpose=purpose, body=body, orgs=orgs)
        assert reply.status == 200, reply.text
        found: dict[str, Any] = reply.json
        return found

    def needs(self, *referral_ids: str) -> list[dict[str, Any]]:
        found = self.ask("/needs", "matching", "matching", {"ids": referral_ids})
        return list(found["needs"])

    def contact(self, referral_id: str) -> dict[str, Any]:
        body = {"referral_ids": [referral_id]}
        found = self.ask("/contacts", "notifications", "notification", body)
        return dict(found["clients"][0])

    def events(self) -> list[str]:
        return [name for name, _ in self.scene.events() if not name.startswith("clinic.")]

    def steps(self, referral_id: str, by: Any = COORDINATOR) -> list[str]:
        return [step["step"] for step in self.read(referral_id, by).json["timeline"]]
