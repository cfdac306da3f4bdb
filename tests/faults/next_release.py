"""The release after this one, made from this one: one event in two versions, one column more.

referrals publishes `referral.accepted` as v2, with the time of the acceptance, and as v1.
matching reads either and keeps the time; notifications reads v1 only; scheduling reads neither.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from deploy.machine.run_folder import REPOSITORY

_ADDED = {
    "referrals/events.py": """

@dataclass(frozen=True, kw_only=True)
class ReferralAccepted2(ReferralAccepted):
    type: ClassVar[str] = "referral.accepted.v2"
    accepted_at: datetime
""",
    "referrals/schemas/events.py": """

class ReferralAccepted2Schema(ReferralAcceptedSchema):
    accepted_at = fields.AwareDateTime(required=True)


PUBLISHED[events.ReferralAccepted2] = ReferralAccepted2Schema
""",
    "matching/schemas/heard.py": """

class ReferralAccepted2Schema(ReferralSchema):
    accepted_at = fields.AwareDateTime(required=True)
""",
    "matching/handlers/ranking.py": """

def remember_acceptance_time(event: dict[str, Any], work: Work) -> None:
    remember_acceptance(event, work)
    query = "UPDATE needs SET accepted_at = %s WHERE referral_id = %s"
    work.connection.execute(query, (event["accepted_at"], event["referral_id"]))
""",
    "matching/migrations/9001_add_acceptance_time.sql": """\
-- When the coordinator accepted the referral; null where only v1 told of it.
ALTER TABLE needs ADD COLUMN accepted_at timestamptz;
""",
}
_REPLACED = {
    "referrals/handlers/triage.py": (
        (
            "case.emit(ReferralAccepted(**named(case.row)))",
            """newer = ReferralAccepted2(accepted_at=work.now, **named(case.row))
    case.emit(newer, older=[ReferralAccepted(**named(case.row))])""",
        ),
        ("    ReferralAccepted,\n", "    ReferralAccepted,\n    ReferralAccepted2,\n"),
    ),
    "referrals/handlers/case.py": (
        (
            "def emit(self, event: Event) -> None:",
            "def emit(self, event: Event, older=()) -> None:",
        ),
        ("clinic_org=clinic_id)\n", "clinic_org=clinic_id, older=older)\n"),
    ),
    "matching/service.py": (
        (
            "    remember_acceptance = consumes(",
            """\
    remember_acceptance_time = consumes(
        "referral.accepted.v2",
        source="referrals",
        schema=heard.ReferralAccepted2Schema,
        handler=ranking.remember_acceptance_time,
    )
    remember_acceptance = consumes(""",
        ),
    ),
}
CHANGED_SERVICES = ("matching", "referrals")


def make_next_release(folder: Path) -> Path:
    """Copy the services and change them; raise when they no longer are what is changed here."""
    shutil.rmtree(folder, ignore_errors=True)
    services = folder / "services"
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "services", services, ignore=leave_out)
    for name, text in _ADDED.items():
        with (services / name).open("a") as file:
            file.write(text)
    for name, changes in _REPLACED.items():
        text = (services / name).read_text()
        for before, after in changes:
            if text.count(before) != 1:
                raise LookupError(f"{name} does not have once: {before}")
            text = text.replace(before, after)
        (services / name).write_text(text)
    return folder


def expand(folder: Path, service: str, admin_dsn: str) -> None:
    """Apply the release's migrations, as its deploy would."""
    act = "import sys; from services.chassis.migrate import migrate; migrate(*sys.argv[1:])"
    command = [sys.executable, "-c", act, admin_dsn, service]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
