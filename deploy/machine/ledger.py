"""What runs, written down: every process with its pid, start time and ports, in ports.json.

Whoever comes later, even after the supervisor was killed, ends by these records and no others.
"""

import signal
import threading
from pathlib import Path
from typing import Any

from deploy.machine.processes import RUN_VARIABLE, Identity, Process, Program, end_stranger
from deploy.machine.run_folder import read_json, write_json


class Ledger:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def start(self, program: Program) -> Process:
        environment = {**program.environment, RUN_VARIABLE: str(self.path.parent)}
        with self._lock:  # started and written down in one step
            process = Process(program, environment)
            self._entries[program.name] = {
                "pid": process.identity.pid,
                "started": process.identity.started,
                "ports": dict(program.ports),
                "stop_signal": signal.Signals(program.stop_signal).name,
                "grace_seconds": program.grace_seconds,
            }
            try:
                write_json(self.path, self._entries)
            except OSError:
                process.end()  # what is not written down would be nobody's
                raise
        return process

    def forget(self, name: str) -> None:
        with self._lock:
            self._entries.pop(name, None)
            write_json(self.path, self._entries)

    def forget_all(self) -> None:
        with self._lock:
            self._entries = {}
            self.path.unlink(missing_ok=True)

    def end_leftovers(self) -> list[str]:
        """End what an earlier run wrote down and left behind, the last started first."""
        left = read_json(self.path)
        for entry in reversed(left.values()):
            identity = Identity(entry["pid"], entry["started"])
            number = signal.Signals[entry["stop_signal"]]
            end_stranger(identity, number, entry["grace_seconds"], self.path.parent)
        self.forget_all()
        return list(left)
