"""What the region asks of a running system, whoever started it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class System(Protocol):
    """A running Kindred: where it answers, who may ask, and where its mail ends up."""

    @property
    def gateway_url(self) -> str:
        """Such as `http://127.0.0.1:8080`, without a slash at the end."""
        ...

    @property
    def run_folder(self) -> Path:
        """Where `demo.json` is written."""
        ...

    @property
    def mail_folder(self) -> Path:
        """Where the mail sink leaves each message as one file, once it is whole."""
        ...

    def token(
        self, role: str, account: str, orgs: Sequence[str], person: str | None = None
    ) -> str: ...
