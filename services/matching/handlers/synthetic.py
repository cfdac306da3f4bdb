"""What the probe's synthetic referrals left is forgotten after a day."""

from datetime import timedelta
from typing import Final

from services.chassis.work import Work
from services.matching.repository.synthetic import forget_synthetic

KEPT: Final = timedelta(days=1)


def forget(work: Work) -> None:
    forget_synthetic(work.connection, work.now - KEPT)
