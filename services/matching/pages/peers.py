"""The peers of an organisation: who takes new people, and how many each of them meets."""

from typing import Any

from services.chassis.http.request import Answer, Request
from services.chassis.organisations import known
from services.chassis.pages import Words
from services.chassis.work import Work
from services.matching.handlers.peers import list_peers
from services.matching.pages import wording
from services.matching.pages.links import PAGES


def show(request: Request, work: Work) -> Answer:
    words = Words(PAGES, request.language)
    listed = list_peers(request, work)
    organisations = known(work, {row["organisation_id"] for row in listed.body})
    html = PAGES.visited(
        "peers.html",
        request,
        words=words,
        rows=[_row(row, organisations, words, work) for row in listed.body],
        following=listed.next_cursor,
    )
    return Answer(html=html)


def _row(row: Any, organisations: Any, words: Words, work: Work) -> dict[str, Any]:
    organisation = organisations.get(row["organisation_id"])
    takes_new = row["state"] == "active" and row["places_taken"] < row["capacity"]
    return {
        "name": row["display_name"],
        "organisation": organisation["name"] if organisation else "",
        "languages": words.languages(row["languages"]),
        "ways": words.all(wording.MODE, row["modes"]),
        "taken": row["places_taken"],
        "capacity": row["capacity"],
        "takes_new": takes_new and row["certified_until"] >= work.now.date(),
        "certified_until": words.day(row["certified_until"]),
        "topics": words.all(wording.TOPIC, row.get("topics_for_supervisors", ())),
        "is_certified": row["certified_until"] >= work.now.date(),
    }
