"""How things stand for somebody who is about to be referred, put into the form for it."""

from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words
from services.chassis.work import Work
from services.matching.domain.waits import Wait
from services.matching.handlers.capacity import EVERYBODY, outlook
from services.matching.pages import wording
from services.matching.pages.links import PAGES
from services.matching.repository.waits import Waits


def show(request: Request, work: Work) -> Answer:
    words = Words(PAGES, request.language)
    now = outlook(None, None, work)
    told = Waits(work.connection).all_told()
    told.pop(EVERYBODY, None)
    html = PAGES.render(
        "capacity.html",
        language=request.language,
        status=words.of(wording.CAPACITY, now.capacity),
        wait=_in_words(now.wait, words) if now.wait else "",
        languages=[
            (words.languages([language]), _in_words(wait, words)) for language, wait in told.items()
        ],
    )
    return Answer(html=html)


def _in_words(wait: Wait, words: Words) -> str:
    """From the quarter who have somebody soonest to the three quarters."""
    if wait.half is None or wait.quarter is None:
        return words(wording.WAIT_UNKNOWN)
    if wait.three_quarters is None:
        return words(wording.WAIT_OPEN).format(half=wait.half)
    facts = {"half": wait.half, "from_": wait.quarter, "to": wait.three_quarters}
    return words(wording.WAIT).format(**facts)
