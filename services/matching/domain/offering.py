"""Who is offered, and in which order; the choice itself is the client's."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from services.chassis.errors import DomainError

ALTERNATES: Final = 2


class NoPlaceFree(DomainError):
    slug: ClassVar[str] = "no-place-free"


@dataclass(frozen=True)
class LineUp:
    """The first peer's place is held; a line-up unlike the ranking asks for a reason."""

    first: UUID
    alternates: tuple[UUID, ...]
    follows_the_ranking: bool


def line_up(
    ranked: Sequence[UUID],
    with_place: Collection[UUID],
    first: UUID | None = None,
    alternates: Sequence[UUID] | None = None,
) -> LineUp:
    """The top of the ranking and two alternates, as far as nothing else is asked for."""
    free = [peer_id for peer_id in ranked if peer_id in with_place]
    if first is None and not free:
        raise NoPlaceFree("Nobody on this shortlist has a free place just now.")
    head = first or free[0]
    others = [peer_id for peer_id in free if peer_id != head]
    rest = list(others[:ALTERNATES] if alternates is None else alternates)
    return LineUp(
        first=head,
        alternates=tuple(rest),
        follows_the_ranking=free[:1] == [head] and rest == others[: len(rest)],
    )
