"""Whether whoever called us, such as make, was told to stop without our being told."""

import os
from pathlib import Path
from signal import SIGINT


class Caller:
    """The process that started us, as it was when we began.

    GNU make passes SIGTERM on to its command, but on SIGINT it relies on the terminal: sent to
    make alone, it stops catching the signal and waits for us for ever.
    """

    def __init__(self) -> None:
        self.pid = os.getppid()
        self._catches_sigint = self._looks_out_for_sigint()

    def has_left(self) -> bool:
        """Tell whether it is gone, or was interrupted."""
        if os.getppid() != self.pid:
            return True
        return self._catches_sigint and not self._looks_out_for_sigint()

    def _looks_out_for_sigint(self) -> bool:
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return False
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (SIGINT - 1) & 1)
