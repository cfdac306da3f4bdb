"""What a peer decides about themselves: whether they take new people, how many, and what of."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.chassis.http.forms import errors_by_field
from services.chassis.http.reading import load, schema_of
from services.chassis.http.request import Answer, Form, Request
from services.chassis.pages import Words, in_the_way
from services.chassis.problems import Invalid, NotFound, Problem
from services.chassis.work import Work
from services.matching.handlers.callers import caller_of
from services.matching.handlers.peers import change_peer
from services.matching.pages import wording
from services.matching.pages.links import PAGES
from services.matching.repository.peers import Peers
from services.matching.schemas.peers import PeerChangeSchema

Row = dict[str, Any]
_FIELDS: Final = ("state", "capacity", "modes", "story", "topics")
# Of each topic one choice: the lists in which it then stands.
_TOPIC: Final = "topic:"
_LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "": (),
    "match": ("topics",),
    "clients": ("topics", "topics_for_clients"),
    "supervisors": ("topics", "topics_for_supervisors"),
    "both": ("topics", "topics_for_clients", "topics_for_supervisors"),
}


def show(request: Request, work: Work) -> Answer:
    row = _mine(request, work)
    typed = [("state", row["state"]), ("capacity", str(row["capacity"]))]
    typed += [("modes", mode) for mode in row["modes"]]
    typed.append(("story", row["story"] or ""))
    typed += [(f"{_TOPIC}{topic}", _choice(row, topic)) for topic in row["topics"]]
    return _page(replace(request, form=Form(typed)), row, {})


def show_again(request: Request, work: Work, problem: Problem) -> Answer:
    words = Words(PAGES, request.language)
    errors = errors_by_field(problem.errors, _FIELDS, words)
    return _page(request, _mine(request, work), errors, in_the_way(problem, request.language))


def change(request: Request, work: Work) -> Answer:
    """Everything on the page as it now stands: what is not ticked is taken back."""
    row, form = _mine(request, work), request.form
    capacity = form.get("capacity", "").strip()
    sent = {
        "state": form.get("state"),
        "capacity": int(capacity) if capacity.isdecimal() else capacity,
        "modes": form.all("modes"),
        "story": form.get("story", "").strip() or None,
        **_topics(form),
    }
    errors: dict[str, list[str]] = {}
    body = load(schema_of(PeerChangeSchema), sent, "body", errors)
    if errors:
        raise Invalid(errors)
    change_peer(replace(request, body=body, path={"peer_id": row["id"]}), work)
    return Answer(location="/matching/mine")


def _choice(row: Row, topic: str) -> str:
    lists = {name for name in _LISTS["both"] if topic in row[name]}
    return next(choice for choice, names in _LISTS.items() if set(names) == lists)


def _topics(form: Form) -> dict[str, list[str]]:
    """Each topic in the lists of its choice."""
    found: dict[str, list[str]] = {name: [] for name in _LISTS["both"]}
    for field, choice in form.items():
        if not field.startswith(_TOPIC):
            continue
        if choice not in _LISTS:
            raise Invalid({field: ["Must be one of the choices."]})
        for name in _LISTS[choice]:
            found[name].append(field.removeprefix(_TOPIC))
    return found


def _mine(request: Request, work: Work) -> Row:
    person = caller_of(request).person
    row = Peers(work.connection).find(person) if person else None
    if row is None:
        raise NotFound
    return row


def _page(request: Request, row: Row, errors: Mapping[str, str], told: str | None = None) -> Answer:
    words = Words(PAGES, request.language)
    others = [topic for topic in row["topics"] if topic not in wording.TOPIC]
    topics = words.options(wording.TOPIC) + [(topic, topic) for topic in others]
    html = PAGES.visited(
        "mine.html",
        request,
        words=words,
        wording=wording,
        peer=row,
        topics=[(f"{_TOPIC}{topic}", label) for topic, label in topics],
        certified_until=words.day(row["certified_until"]),
        errors=errors,
        told=told,
    )
    return Answer(html=html)
