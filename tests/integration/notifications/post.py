"""A region around notifications: its people and events, what their owners answer, and mail."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Event as Flag
from typing import Any, cast
from uuid import UUID, uuid4

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

from services.chassis.internal import Directory
from services.chassis.loops import LoopContext
from services.chassis.settings import Address
from services.chassis.work import Workplace
from services.notifications import sender
from services.notifications.service import Notifications
from tests.support import Scene, TestDatabase

HOST = "127.0.0.1"
CLIENT_MAIL = "ana@example.org"
PEER_MAIL = "bo@example.net"
CLINIC_MAIL = "front-desk@example.com"


class MailServer:
    """A real SMTP server on a loopback port, whose answers a test can change."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.sender_answer = "250 OK"
        self.recipient_answer = "250 OK"
        self.data_answer = "250 OK"
        self.hangs_up_after_taking = False
        with socket.create_server((HOST, 0)) as free:
            self.address = Address(HOST, free.getsockname()[1])
        self.start()

    def start(self) -> None:
        self.controller = Controller(self, hostname=HOST, port=self.address.port)
        self.controller.start()

    def stop(self) -> None:
        self.controller.stop()

    async def handle_MAIL(  # noqa: N802  aiosmtpd's own name
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.sender_answer.startswith("250"):
            envelope.mail_from = address
        return self.sender_answer

    async def handle_RCPT(  # noqa: N802  aiosmtpd's own name
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(  # noqa: N802  aiosmtpd's own name
        self, server: SMTP, _session: Any, envelope: Envelope
    ) -> str:
        if self.data_answer.startswith("250"):
            mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
            self.taken.append(mail)
        if self.hangs_up_after_taking:
            cast(asyncio.Transport, server.transport).abort()
        return self.data_answer

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.taken if mail["To"] == address]


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    server = MailServer()
    yield server
    server.stop()


@dataclass
class Region:
    """One referral with its client, peer, match and session; owners answer from `facts`."""

    scene: Scene
    mail: MailServer
    clinic_id: UUID = field(default_factory=uuid4)
    peer_organisation_id: UUID = field(default_factory=uuid4)
    referral_id: UUID = field(default_factory=uuid4)
    client_id: UUID = field(default_factory=uuid4)
    peer_id: UUID = field(default_factory=uuid4)
    match_id: UUID = field(default_factory=uuid4)
    session_id: UUID = field(default_factory=uuid4)
    leave_id: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.scene.settings = replace(self.scene.settings, smtp=self.mail.address)
        self.scene.workplace = Workplace(
            Notifications, self.scene.pool, self.scene.settings, self.scene.clock
        )
        self.client: dict[str, Any] = {
            "name": "Ana",
            "email": CLIENT_MAIL,
            "phone": None,
            "preferred_channel": "email",
            "safe_times": [],
            "shared_phone": False,
            "language": "es",
            "time_zone": "America/Los_Angeles",
            "through_representative": False,
            "allowed": True,
            "reason": None,
            "progress_to_clinic": True,
        }
        self.peer: dict[str, Any] = {
            "name": "Bo",
            "email": PEER_MAIL,
            "phone": None,
            "reason": None,
            "preferred_channel": "email",
            "language": "en-US",
            "time_zone": "America/New_York",
        }
        self.clinic: dict[str, Any] = {
            "name": "North",
            "email": CLINIC_MAIL,
            "language": "en",
            "time_zone": "America/New_York",
        }
        self.match: dict[str, Any] = {"state": "confirmed", "answer_by": None}
        self.session: dict[str, Any] = {}
        self.answer_everything()
        self.register(self.clinic_id, "clinic")
        self.register(self.peer_organisation_id, "peer_organisation")

    @property
    def now(self) -> datetime:
        return self.scene.now

    def answer_everything(self) -> None:
        owners = self.scene.owners
        owners.on("referrals", "/internal/contacts", self._referral_contacts)
        owners.on(
            "matching",
            "/internal/contacts",
            lambda body: {"peers": self._known(body, self.peer_id, "peer_id", self.peer)},
        )
        owners.on(
            "matching",
            "/internal/matches",
            lambda body: {"matches": self._known(body, self.match_id, "match_id", self.match)},
        )
        owners.on(
            "scheduling",
            "/internal/sessions",
            lambda body: {
                "sessions": self._known(body, self.session_id, "session_id", self.session)
            },
        )
        owners.on("matching", "/internal/links", {"path": "/l/m-secret"})
        owners.on("scheduling", "/internal/links", {"path": "/l/s-secret"})

    def _referral_contacts(self, body: dict[str, Any]) -> dict[str, Any]:
        clients = {"ids": body["referral_ids"]}
        clinics = {"ids": body["clinic_ids"]}
        return {
            "clients": self._known(clients, self.referral_id, "referral_id", self.client),
            "clinics": self._known(clinics, self.clinic_id, "clinic_id", self.clinic),
        }

    @staticmethod
    def _known(body: dict[str, Any], id_: UUID, name: str, facts: dict[str, Any]) -> list[Any]:
        return [{name: str(id_), **facts}] if str(id_) in body["ids"] and facts else []

    def register(self, organisation_id: UUID, kind: str) -> None:
        body = {f"{kind}_id": organisation_id, "name": "x", "time_zone": "UTC", "area": None}
        self.scene.receive(
            f"{kind}.registered.v1", body, subject=organisation_id, org=organisation_id
        )

    def referral(self, step: str, **more: Any) -> UUID:
        body = {"referral_id": self.referral_id, "clinic_id": self.clinic_id, **more}
        return self.scene.receive(
            f"referral.{step}.v1", body, subject=self.referral_id, org=self.clinic_id
        )

    def match_step(self, step: str, state: str, *, with_peer: bool = True, **more: Any) -> UUID:
        """The match comes to a state at its owner, and the event about it arrives."""
        self.match["state"] = state
        peer = {"peer_id": self.peer_id, "peer_organisation_id": self.peer_organisation_id}
        body = {
            "match_id": self.match_id,
            "referral_id": self.referral_id,
            "client_id": self.client_id,
            "clinic_id": self.clinic_id,
            "round": 1,
            **(peer if with_peer else {}),
            **more,
        }
        return self.scene.receive(
            f"match.{step}.v1",
            body,
            subject=self.match_id,
            org=self.peer_organisation_id if with_peer else self.clinic_id,
            clinicorg=self.clinic_id,
        )

    def session_step(
        self,
        step: str,
        *,
        hours_ahead: float,
        revision: int,
        state: str = "booked",
        event_id: UUID | None = None,
        sequence: int | None = None,
        **more: Any,
    ) -> UUID:
        starts_at = self.now + timedelta(hours=hours_ahead)
        facts = {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=50)).isoformat(),
            "time_zone": "America/New_York",
            "revision": revision,
            "mode": "video",
        }
        self.session.update(facts, state=state, place=None)
        body = {
            "session_id": self.session_id,
            "match_id": self.match_id,
            "referral_id": self.referral_id,
            "client_id": self.client_id,
            "peer_id": self.peer_id,
            "clinic_id": self.clinic_id,
            "peer_organisation_id": self.peer_organisation_id,
            **facts,
            **more,
        }
        return self.scene.receive(
            f"session.{step}.v1",
            body,
            subject=self.session_id,
            org=self.peer_organisation_id,
            clinicorg=self.clinic_id,
            event_id=event_id,
            sequence=sequence,
        )

    def leave_step(self, step: str, **more: Any) -> UUID:
        """Something happens to the question what the client would like while the peer is away."""
        body = {
            "leave_id": self.leave_id,
            "match_id": self.match_id,
            "referral_id": self.referral_id,
            "client_id": self.client_id,
            "clinic_id": self.clinic_id,
            "peer_id": self.peer_id,
            "peer_organisation_id": self.peer_organisation_id,
            "session_ids": [],
            **more,
        }
        return self.scene.receive(
            f"leave.{step}.v1",
            body,
            subject=self.leave_id,
            org=self.peer_organisation_id,
            clinicorg=self.clinic_id,
        )

    def send(self, *, stop: Flag | None = None) -> None:
        """Run the sending loop as the worker does, until nothing is due."""
        directory = cast(Directory, self.scene.owners)
        sender.run(LoopContext(self.scene.workplace, directory, stop or Flag()))

    def messages(self, kind: str | None = None) -> list[dict[str, Any]]:
        rows = self.scene.rows("SELECT * FROM messages ORDER BY planned_at, recipient_role, id")
        return [row for row in rows if kind in (None, row["kind"])]

    def states(self, kind: str) -> dict[str, str]:
        return {row["recipient_role"]: row["state"] for row in self.messages(kind)}

    def fates(self) -> list[tuple[str, str, str]]:
        return [(type_, body["kind"], body["recipient"]) for type_, body in self.scene.events()]


@contextmanager
def region_of(database: TestDatabase, **facts: Any) -> Iterator[Region]:
    scene = Scene(Notifications, database, **facts)
    try:
        with running_mail_server() as mail:
            yield Region(scene, mail)
    finally:
        scene.close()
