"""The page on which somebody says what they would like while their peer is away."""

from contextlib import suppress

from services.chassis import links
from services.chassis.http.request import Answer, Request
from services.chassis.links import Link
from services.chassis.pages import Words
from services.chassis.problems import Gone, Invalid
from services.chassis.work import Work
from services.scheduling.domain.leave import AlreadyAnswered, Leave, Question, Wish
from services.scheduling.handlers.calendars import zone_of
from services.scheduling.handlers.leave import note_wish, to_be_covered
from services.scheduling.handlers.telling import tell_disowned_about_leave
from services.scheduling.pages import wording
from services.scheduling.pages.templates import PAGES
from services.scheduling.repository import Leaves, Questions


def show(link: Link, work: Work) -> Answer:
    question = _question_of(link, Questions(work.connection).find(link.subject_id), work)
    leave = Leaves(work.connection).find(question.leave_id)
    if leave is None:
        raise Gone
    return _page(_open(leave, work), question, link, work)


def use(link: Link, request: Request, work: Work) -> Answer:
    """The link stays open: what was said can be said otherwise until the peer is back."""
    question = _question_of(link, Questions(work.connection).find(link.subject_id), work)
    leave = Leaves(work.connection).lock(question.leave_id)
    if leave is None:
        raise Gone
    act = request.form.get("act")
    if act == "not-me":
        links.disown(work, link)
        tell_disowned_about_leave(question, work)
        html = PAGES.linked("away-disowned.html", link)
        return Answer(html=html)
    if act not in list(Wish):
        raise Invalid({"act": ["Must be wait, cover, change or not-me."]})
    with suppress(AlreadyAnswered):  # sent twice; the page says what holds
        note_wish(_open(leave, work), question.id, Wish(act), "client", work)
    answered = _question_of(link, Questions(work.connection).find(question.id), work)
    return _page(leave, answered, link, work, is_new=True)


def _question_of(link: Link, question: Question | None, work: Work) -> Question:
    """The link's question, as long as its reader is asked and their match goes on."""
    if question is None or question.client_id != link.person_id:
        raise Gone
    latest = Questions(work.connection).latest_of_match(question.match_id, work.now)
    if latest is None:
        raise Gone
    return question


def _open(leave: Leave, work: Work) -> Leave:
    if leave.state != "planned" or leave.ends_at <= work.now:
        raise Gone
    return leave


def _page(
    leave: Leave, question: Question, link: Link, work: Work, *, is_new: bool = False
) -> Answer:
    words = Words(PAGES, link.language)
    zone = zone_of(link.person_id, work) or leave.time_zone
    html = PAGES.linked(
        "away-question.html",
        link,
        first_day=words.day(leave.first_day),
        last_day=words.day(leave.last_day),
        sessions=[words.moment(one.starts_at, zone) for one in to_be_covered(question, work)],
        zone=zone.rpartition("/")[2].replace("_", " "),
        wish=question.wish,
        said=words.of(wording.SAID, question.wish),
        wishes=[one for one in words.options(wording.WISH) if one[0] != question.wish],
        is_new=is_new,
    )
    return Answer(html=html)
