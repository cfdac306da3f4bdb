"""The link by which a person without an account sees where their own referral stands."""

from datetime import timedelta
from typing import Final

from services.chassis import links
from services.chassis.work import Work
from services.referrals.repository.referrals import Row

OWN: Final = "own"
# Each letter lengthens it.
LASTS: Final = timedelta(days=90)


def own_page(row: Row, work: Work) -> str:
    """The path of the person's own page."""
    secret = links.mint(
        work,
        purpose=OWN,
        subject_id=row["id"],
        person_id=row["client_id"],
        orgs=[row["clinic_id"]],
        expires_at=work.now + LASTS,
        language=row["client"]["languages"][0].partition("-")[0],
    )
    return links.path_of(secret)
