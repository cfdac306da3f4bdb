"""From a row of the messages table to the domain's words."""

from typing import Any

from psycopg.rows import DictRow

from services.notifications.domain.kinds import Channel, Kind, Recipient, State


def in_words(row: DictRow) -> dict[str, Any]:
    """The row with the domain's words for its codes."""
    words = {"kind": Kind, "recipient": Recipient, "state": State, "channel": Channel}
    return {
        name: words[name](value) if name in words and value else value
        for name, value in row.items()
    }
