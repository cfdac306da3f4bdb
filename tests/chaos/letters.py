"""Letters as the mail sink lists them, read as the list grows."""

import json
import threading
from collections import defaultdict
from pathlib import Path

from deploy.region.mailbox import read_letter

_ABOUT_A_MATCH = "/l/m-"


class Letters:
    """Each letter's link is given out once; looking again reads only what is new."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = 0
        self._by_recipient: dict[str, list[Path]] = defaultdict(list)
        self._lock = threading.Lock()

    def next_link(self, recipient: str) -> str | None:
        """The link of the address's oldest letter about a match that was not given out yet."""
        with self._lock:
            self._read_on()
            waiting = self._by_recipient[recipient.casefold()]
            while waiting:
                links = read_letter(waiting.pop(0)).links
                if links and links[0].startswith(_ABOUT_A_MATCH):
                    return links[0]
        return None

    def _read_on(self) -> None:
        index = self.folder / "index.jsonl"
        if not index.exists():
            return
        with index.open("rb") as file:
            file.seek(self._read)
            news = file.read()
        whole = news[: news.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            entry = json.loads(line)
            for recipient in entry["to"]:
                self._by_recipient[recipient.casefold()].append(self.folder / entry["file"])
