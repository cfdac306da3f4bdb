"""What somebody who refers can expect before they do: free places, and how long the wait is."""

from collections.abc import Collection
from typing import Final

from services.chassis.http.request import Answer, Request
from services.chassis.organisations import SYNTHETIC_CLINIC
from services.chassis.work import Work
from services.matching.domain.ranking import Mode, Need, primary
from services.matching.domain.waits import LOOKED_BACK, Capacity, Outlook, estimate
from services.matching.handlers.known_peers import KnownPeers
from services.matching.repository.matches import Match, Matches
from services.matching.repository.waits import Waits

EVERYBODY: Final = ""


def show_capacity(request: Request, work: Work) -> Answer:
    query = request.query
    return Answer(outlook(query["language"], query["mode"], work, is_minor=query["is_minor"]))


def outlook(
    language: str | None, mode: Mode | None, work: Work, *, is_minor: bool = False
) -> Outlook:
    """Whether more places that suit are free than people wait for them already."""
    work.act_for_all()
    spoken = sorted(primary([language])) if language else []
    free, suitable = work.memory(KnownPeers).places(
        Need(
            on=work.now.date(),
            languages=tuple(spoken),
            modes=(mode,) if mode else tuple(Mode),
            is_minor=is_minor,
        ),
        work,
    )
    about = spoken[0] if spoken else EVERYBODY
    wait = Waits(work.connection).all_told().get(about)
    if not suitable:
        none = Capacity.ADDITIONAL_ASSESSMENT if is_minor else Capacity.NO_CAPACITY
        return Outlook(none, language, wait)
    waiting = Matches(work.connection).count_who_speak(spoken, at_most=free)
    return Outlook(Capacity.CAPACITY if free > waiting else Capacity.WAITLIST, language, wait)


def note_first_match(match: Match, languages: Collection[str], work: Work) -> None:
    """Somebody who came has somebody; a later round is another question."""
    _note(match, languages, work, is_served=True)


def note_leaving(match: Match, languages: Collection[str], work: Work) -> None:
    _note(match, languages, work, is_served=False)


def work_out(work: Work) -> None:
    """What is told of waits: of everybody, and of each language of which enough is known."""
    waits = Waits(work.connection)
    waits.forget(work.now - LOOKED_BACK)
    ended = [
        (row["days"], row["is_served"], row["languages"])
        for row in waits.since(work.now - LOOKED_BACK)
    ]
    waiting = [(row["days"], False, row["languages"]) for row in waits.of_those_who_wait(work.now)]
    by_language: dict[str, list[tuple[int, bool]]] = {EVERYBODY: []}
    for days, is_served, languages in (*ended, *waiting):
        for language in (EVERYBODY, *primary(languages)):
            by_language.setdefault(language, []).append((days, is_served))
    found = [(language, estimate(known)) for language, known in sorted(by_language.items())]
    waits.tell(work.now, [(language, one) for language, one in found if one])


def _note(match: Match, languages: Collection[str], work: Work, *, is_served: bool) -> None:
    if match.round == 1 and match.clinic_id != SYNTHETIC_CLINIC:
        days = max(0, (work.now - match.received_at).days)
        Waits(work.connection).note(work.now, days, sorted(primary(languages)), is_served=is_served)
