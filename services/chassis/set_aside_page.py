"""What a service set aside for good, shown to the staff it concerns, who may have it tried again.

Each service mounts both: a part that the gateway puts into one page with the others' parts, and
the address to which its forms are sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from services.chassis import deferred
from services.chassis.http.request import Answer, Caller, Request
from services.chassis.organisations import known
from services.chassis.pages import Pages, Words
from services.chassis.problems import NotFound
from services.chassis.work import Work

SHOWN: Final = 50
_DIGITS: Final = 19  # of the largest bigint

_WHY: Final = {
    "version": {
        "en": "It came from a newer version of the program.",
        "es": "Vino de una versión más nueva del programa.",
    },
    "tried": {
        "en": "It was tried many times and did not go through.",
        "es": "Se intentó muchas veces y no salió adelante.",
    },
    "": {
        "en": "It does not fit what is known here.",
        "es": "No encaja con lo que aquí se sabe.",
    },
}
_TRIED: Final = ("tried", "delivered", "gap", "behind")


@dataclass(frozen=True)
class SetAsidePage:
    """`about` says in words what the events of each aggregate are about.

    `together` is the page that all parts are put into; `places` are the pages of aggregates that
    have one, with `{id}` in their paths.
    """

    service: str
    pages: Pages
    about: Mapping[str, str]
    together: str
    places: Mapping[str, str] = field(default_factory=dict)

    def show(self, request: Request, work: Work) -> Answer:
        """Only of organisations that the reader serves; what names none is the operator's."""
        words = Words(self.pages, request.language)
        rows = deferred.list_parked(work.connection, _caller(request).orgs)
        organisations = known(work, {row["clinic_org_id"] or row["org_id"] for row in rows})
        html = self.pages.visited(
            "set-aside.html",
            request,
            action=f"/{self.service}/set-aside",
            rows=[self._row(row, organisations, words) for row in rows[:SHOWN]],
            more=max(0, len(rows) - SHOWN),
        )
        return Answer(html=html)

    def act(self, request: Request, work: Work) -> Answer:
        """Have it tried again; of what is not theirs, or is no longer there, the list says it."""
        caller, number = _caller(request), request.form.get("number", "")
        if number.isdecimal() and len(number) < _DIGITS:
            by = caller.subject
            deferred.replay(work.connection, int(number), by=by, now=work.now, orgs=caller.orgs)
        return Answer(location=self.together)

    def _row(
        self, row: Mapping[str, Any], organisations: Mapping[UUID, Any], words: Words
    ) -> dict[str, Any]:
        organisation = organisations.get(row["clinic_org_id"] or row["org_id"])
        aggregate = row["type"].partition(".")[0]
        place = self.places.get(aggregate)
        zone = organisation["time_zone"] if organisation else "UTC"
        kind = row["reason"].partition(" ")[0].strip(":")
        why = _WHY["tried" if kind in _TRIED else kind if kind in _WHY else ""]
        return {
            "number": row["id"],
            "about": words.of(self.about, aggregate),
            "organisation": organisation["name"] if organisation else None,
            "when": f"{words.moment(row['deferred_at'], zone)} ({zone})",
            "why": why[words.language],
            "type": row["type"],
            "reason": row["reason"],
            "place": place.format(id=row["aggregate_id"]) if place else None,
        }


def _caller(request: Request) -> Caller:
    if request.caller is None:
        raise NotFound
    return request.caller
