"""When two who are matched have been without contact for so long that somebody asks."""

from datetime import timedelta
from typing import Final

# By an agreed plan to reach out, and never as a reproach to either.
QUIET_AFTER: Final = timedelta(days=21)
