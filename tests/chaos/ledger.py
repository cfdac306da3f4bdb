"""What the load was answered, written down line by line, for the checker to compare with."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import urllib3

from deploy.region.api import Reply

ACCEPTED, REFUSED, UNKNOWN = "accepted", "refused", "unknown"
_GONE = 410
_MAKES_ITS_SUBJECT = {"referral.submit", "session.book"}


class Ledger:
    """Every command with its answer; no answer within the client's patience is unknown."""

    def __init__(self, path: Path) -> None:
        self.answers: Counter[str] = Counter()
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def order(
        self,
        command: str,
        subject: str | None,
        ask: Callable[[], Reply],
        *,
        by_link: bool = False,
        **facts: Any,
    ) -> Reply | None:
        """Ask, and write down what came of it; None unless it was accepted."""
        try:
            reply = ask()
        except (urllib3.exceptions.HTTPError, OSError):
            self._write(command, UNKNOWN, subject, status=0, **facts)
            return None
        answer = _meaning(reply.status, by_link=by_link)
        if command in _MAKES_ITS_SUBJECT and answer == ACCEPTED:
            subject = reply.body["id"]
        self._write(command, answer, subject, status=reply.status, **facts)
        return reply if answer == ACCEPTED else None

    def _write(self, command: str, answer: str, subject: str | None, **facts: Any) -> None:
        line = {
            "at": round(time.time(), 3),
            "command": command,
            "answer": answer,
            "subject": subject,
            "facts": facts,
        }
        with self._lock:
            self.answers[f"{command} {facts['status']}"] += 1
            self._file.write(json.dumps(line) + "\n")


def _meaning(status: int, *, by_link: bool) -> str:
    if 200 <= status < 400:
        return ACCEPTED
    # A link works once: gone may mean that the answer of an earlier try was lost.
    return UNKNOWN if status >= 500 or (by_link and status == _GONE) else REFUSED
