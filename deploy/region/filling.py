"""Fills the demo region with its crowd through the public interfaces; once is enough."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from deploy.region import crowd, demo_file
from deploy.region.accounts import COORDINATOR, OPERATOR
from deploy.region.api import Account, Api, Refused
from deploy.region.crowd import FROM_BEFORE, Stage
from deploy.region.loading import for_each
from deploy.region.mailbox import Mailbox
from deploy.region.people import PEER_CERTIFICATES_LAST_DAYS
from deploy.region.story import Story, a_consent
from deploy.region.system import System

_AT_ONCE = 50
_REFERRALS = "/api/referrals/referrals"
_PEERS = "/api/matching/peers"
# With so many services beginning at once, the first shortlists take their time.
_STEP_SECONDS = 60.0


def fill(system: System) -> None:
    """Bring in more peers, and clients at every stage; a region that has them is left alone."""
    api = Api(system)
    if not _is_filled(api):
        _bring_everybody(api, system)
    demo_file.list_peers(system.run_folder, api.all(_PEERS, by=COORDINATOR))


def _bring_everybody(api: Api, system: System) -> None:
    peers = _add_peers(api)
    stages = list(enumerate(crowd.stages()))
    before = [(number, stage) for number, stage in stages if stage in FROM_BEFORE]
    _take_over(api, before, peers)
    story = Story(
        api, Mailbox(system.mail_folder), OPERATOR, COORDINATOR, step_seconds=_STEP_SECONDS
    )
    new = [_Client(story, number, stage) for number, stage in stages if stage not in FROM_BEFORE]
    for_each(_Client.refer, new)
    for_each(_Client.go_on, new)
    known = {
        one["client"].get("record_number"): one["id"] for one in api.all(_REFERRALS, by=COORDINATOR)
    }
    for_each(lambda one: _end_or_pause(story, *one, known), before)


def _is_filled(api: Api) -> bool:
    emails = (peer["email"] for peer in api.all(_PEERS, by=COORDINATOR))
    return crowd.more_peer(0)["email"] in emails


def _add_peers(api: Api) -> Sequence[dict[str, Any]]:
    until = datetime.now(UTC).date() + timedelta(days=PEER_CERTIFICATES_LAST_DAYS)
    bodies = [
        {**crowd.more_peer(number), "certified_until": until.isoformat()}
        for number in range(crowd.MORE_PEERS)
    ]
    added: list[dict[str, Any]] = []
    for some in _in_fifties(bodies):
        reply = api.call("POST", f"{_PEERS}/many", by=COORDINATOR, body={"peers": some})
        added += reply.expect(201).body["peers"]

    def set_hours(numbered: tuple[int, dict[str, Any]]) -> None:
        number, peer = numbered
        path = f"/api/scheduling/people/{peer['id']}/availability"
        api.call("PUT", path, by=COORDINATOR, body=crowd.hours(number)).expect()

    for_each(set_hours, enumerate(added))
    return added


def _take_over(
    api: Api, before: Sequence[tuple[int, Stage]], peers: Sequence[dict[str, Any]]
) -> None:
    today = datetime.now(UTC).date()
    consent = {"given_on": (today - timedelta(days=30)).isoformat()}
    pairs = []
    for number, _ in before:
        peer = peers[number % len(peers)]
        came = crowd.first_day(number, today)
        pairs.append(
            {
                **crowd.asked(number),
                "clinic_id": crowd.clinic_of(number),
                "client": crowd.client(number),
                "consent": consent,
                "external_reference": f"import/REGION-{number:04}",
                "received_at": f"{came.isoformat()}T17:00:00Z",
                "peer_id": peer["id"],
                "peer_organisation_id": peer["organisation_id"],
                "mode": peer["modes"][0],
            }
        )
    for some in _in_fifties(pairs):
        path = "/api/referrals/taken-over-referrals/many"
        api.call("POST", path, by=OPERATOR, body={"pairs": some}).expect(201)


def _end_or_pause(story: Story, number: int, stage: Stage, known: Mapping[str, str]) -> None:
    """What has become of somebody from before; most still meet."""
    if stage is Stage.ACTIVE:
        return
    path = f"{_REFERRALS}/{known[f'REGION-{number:04}']}"
    if stage is Stage.PAUSED:
        reason = {"reason": ("in-hospital", "taking-a-break")[number % 2]}
        story.api.act(path, "pause", by=COORDINATOR, body=reason).expect()
        return

    def match_id() -> str | None:
        match = story.api.get(path, by=COORDINATOR).expect(200).body["match"]
        return str(match["match_id"]) if match and match["state"] == "active" else None

    match = f"/api/matching/matches/{story.wait('the match from before', match_id)}"
    reached = {"reason": "goals-reached"}
    story.api.act(match, "end", by=COORDINATOR, body=reached).expect()


class _Client:
    """Somebody who comes now, and how far they come."""

    def __init__(self, story: Story, number: int, stage: Stage) -> None:
        self.story = story
        self.number = number
        self.stage = stage
        self.clinic = crowd.clinic_of(number)
        self.referral_id = ""
        self.client_id = ""

    def refer(self) -> None:
        consent = None if self.stage is Stage.AWAITING_CONSENT else a_consent()
        body = {
            **crowd.asked(self.number),
            "client": crowd.client(self.number),
            "consent": consent,
        }
        if self.stage is Stage.WAITING:
            self._wait_since(crowd.day_of_coming(self.number, datetime.now(UTC).date()), body)
            return
        clinic = Account("clinic", "demo-clinic", (self.clinic,))
        reply = self.story.api.call("POST", _REFERRALS, by=clinic, body=body).expect(201)
        self.referral_id, self.client_id = reply.body["id"], reply.body["client_id"]

    def _wait_since(self, day: date, body: dict[str, Any]) -> None:
        """Somebody who was on the clinic's own list before the region began."""
        known = {
            **body,
            "clinic_id": self.clinic,
            "external_reference": f"import/REGION-{self.number:04}",
            "received_at": f"{day.isoformat()}T17:00:00Z",
            "accepted": True,
        }
        path = "/api/referrals/waiting-referrals/many"
        self.story.api.call("POST", path, by=OPERATOR, body={"referrals": [known]}).expect(201)

    def go_on(self) -> None:
        path = f"{_REFERRALS}/{self.referral_id}"
        if self.stage in (Stage.AWAITING_CONSENT, Stage.UNDECIDED, Stage.WAITING):
            return
        if self.stage is Stage.DECLINED:
            reason = {"reason": "referred-elsewhere"}
            self.story.api.act(path, "decline", by=COORDINATOR, body=reason).expect()
            return
        if self.stage is Stage.ASKED:
            question = {"asked_for": ["contact"], "text": "When is a good time to call?"}
            self.story.api.act(path, "request-information", by=COORDINATOR, body=question).expect()
            return
        self.story.accept(self.referral_id)
        self.be_offered()

    def be_offered(self) -> None:
        self.story.shortlist(self.referral_id)
        try:
            offer = self.story.offer(self.referral_id)
        except Refused:
            return  # the last free place went to somebody else meanwhile: they wait on
        if self.stage is Stage.OFFERED:
            return
        own = Account("client", "demo-client", (self.clinic,), self.client_id)
        path = f"/api/matching/offers/{offer['offer_id']}/choose"
        match = self.story.api.call("POST", path, by=own, body={}).expect(200).body
        if self.stage is Stage.CHOSEN:
            return
        peer = Account("peer", "demo-peer", (match["peer_organisation_id"],), match["peer_id"])
        path = f"/api/matching/matches/{match['match_id']}/accept"
        self.story.api.call("POST", path, by=peer, body={}).expect(200)


def _in_fifties(bodies: Sequence[dict[str, Any]]) -> Iterable[Sequence[dict[str, Any]]]:
    return (bodies[start : start + _AT_ONCE] for start in range(0, len(bodies), _AT_ONCE))
