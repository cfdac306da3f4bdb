"""How work can end other than well. Pure: domain modules may import this."""

from typing import ClassVar


class ChassisError(Exception):
    """Base of every error the chassis raises."""


class UnreadableEvent(ChassisError):
    """The event can never be handled; it is parked at once. Its text names fields, never values."""


class OwnerAway(ChassisError):
    """The service that owns a fact did not answer in time; the work is tried again later."""


class DomainError(Exception):
    """A rule of the domain refused the request; trying again cannot help.

    Over HTTP it answers 409 with the slug; as an event it is parked.
    """

    slug: ClassVar[str]

    def __init__(self, title: str, detail: str | None = None) -> None:
        super().__init__(title)
        self.title = title
        self.detail = detail


class Forgotten(ChassisError):
    """A restored database lacks what an event is about, and the event does not tell it."""
