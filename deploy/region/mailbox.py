"""Letters as the mail sink left them, and the links in them."""

import email
import email.policy
import re
from collections.abc import Collection
from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path

_LINK = re.compile(r"/l/[a-z]-[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Letter:
    path: Path
    recipient: str
    message_id: str
    subject: str
    text: str
    calendar: bytes | None

    @property
    def links(self) -> list[str]:
        """The paths of the links in the letter, each once, in their order."""
        return list(dict.fromkeys(_LINK.findall(self.text)))


@dataclass(frozen=True)
class Mailbox:
    folder: Path

    def paths(self) -> set[Path]:
        """Every whole letter there is now: remembered before a step to tell what it brought."""
        return {path for path in self.folder.rglob("*.eml") if path.is_file()}

    def letters(self, recipient: str, *, before: Collection[Path] = ()) -> list[Letter]:
        """Letters to one address, oldest first, without those that were there before."""
        news = sorted(self.paths() - set(before), key=lambda path: path.stat().st_mtime_ns)
        letters = [read_letter(path) for path in news]
        return [letter for letter in letters if letter.recipient == recipient.casefold()]


@lru_cache(maxsize=4096)  # whoever waits for a letter looks again and again
def read_letter(path: Path) -> Letter:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError(f"{path.name} is not a letter")
    body = message.get_body(("plain", "html"))
    calendar = next(
        (part for part in message.walk() if part.get_content_type() == "text/calendar"), None
    )
    recipients = message["To"].addresses
    return Letter(
        path=path,
        recipient=recipients[0].addr_spec.casefold(),
        message_id=str(message["Message-ID"]).strip(),
        subject=str(message["Subject"]),
        text=body.get_content() if body is not None else "",
        calendar=_content(calendar),
    )


def _content(part: EmailMessage | None) -> bytes | None:
    payload = part.get_payload(decode=True) if part is not None else None
    return payload if isinstance(payload, bytes) else None
