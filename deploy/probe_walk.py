"""One synthetic referral through the gateway, of a clinic and a client who do not exist.

The consent names a peer organisation that does not exist either: matching looks, and finds
nobody, so that no peer is ever shown, asked or held for it.
"""

import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import urllib3

from deploy.machine.run_folder import RunFolder
from deploy.machine.running_system import RunningSystem
from deploy.region.api import Account, Api, Refused, items
from services.chassis.organisations import SYNTHETIC_CLINIC

OPERATOR = Account("operator", "probe", ())
CLERK = Account("clinic", "probe", (str(SYNTHETIC_CLINIC),))
_CLINIC = f"/api/referrals/clinics/{SYNTHETIC_CLINIC}"
_REFERRALS = "/api/referrals/referrals"
_NOBODY = UUID("5e1f7e57-0000-4000-8000-000000000002")
_ANSWER_SECONDS = 60.0
_POLL_SECONDS = 0.1


def walk(run: RunFolder) -> dict[str, Any]:
    """Walk it, and tell whether matching answered, how long it took, or which step failed."""
    steps = Walk(Api(RunningSystem(run)))
    began = time.monotonic()
    try:
        steps.take()
    except (Refused, TimeoutError, urllib3.exceptions.HTTPError) as error:
        say = str(error) if isinstance(error, Refused) else type(error).__name__
        print(f"{steps.at}: {say}", file=sys.stderr)
        outcome = "failed"
    else:
        outcome = "answered"
    return {"outcome": outcome, "step": steps.at, "seconds": round(time.monotonic() - began, 3)}


@dataclass
class Walk:
    api: Api
    at: str = field(init=False, default="register")

    def take(self) -> None:
        self._register()
        self.at = "tidy"
        for left in items(self.api.get(_REFERRALS, by=CLERK, status="submitted").expect(200).body):
            self._withdraw(left["id"])
        self.at = "submit"
        submitted = self.api.call("POST", _REFERRALS, by=CLERK, body=a_referral())
        referral_id = submitted.expect(201).body["id"]
        self.at = "answer"
        self._wait_for_answer(referral_id)
        self.at = "withdraw"
        self._withdraw(referral_id)

    def _register(self) -> None:
        if self.api.get(_CLINIC, by=OPERATOR).status != 200:
            body = {"name": "Synthetic clinic", "time_zone": "Etc/UTC"}
            self.api.call("PUT", _CLINIC, by=OPERATOR, body=body).expect(200, 201)

    def _wait_for_answer(self, referral_id: str) -> None:
        deadline = time.monotonic() + _ANSWER_SECONDS
        while not self._is_answered(referral_id):
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(_POLL_SECONDS)

    def _is_answered(self, referral_id: str) -> bool:
        seen = self.api.get(f"{_REFERRALS}/{referral_id}", by=CLERK).expect(200).body
        return seen["match"] is not None

    def _withdraw(self, referral_id: str) -> None:
        self.api.act(f"{_REFERRALS}/{referral_id}", "withdraw", by=CLERK).expect()


def a_referral() -> dict[str, Any]:
    """The same client each time: no address, no telephone, a language that nobody speaks."""
    today = datetime.now(UTC).date()
    return {
        "client": {
            "given_name": "Synthetic",
            "family_name": "Referral",
            "birth_date": "1980-01-01",
            "record_number": "SYNTHETIC",
            "preferred_channel": "reception",
            "languages": ["qzz"],
            "area": "Nowhere",
            "time_zone": "Etc/UTC",
        },
        "modes": ["phone"],
        "consent": {
            "given_on": (today - timedelta(days=1)).isoformat(),
            "scope": ["matching"],
            "with": [str(_NOBODY)],
            "until": (today + timedelta(days=7)).isoformat(),
        },
    }
