"""The pages behind mailed links: a client chooses or withdraws, a peer answers. Only POST acts."""

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from services.chassis import links
from services.chassis.http.request import Answer, Request
from services.chassis.links import Link
from services.chassis.log import get_log
from services.chassis.pages import Pages, Words
from services.chassis.problems import Conflict, Gone, Invalid
from services.chassis.work import Work
from services.matching import events
from services.matching.domain.ranking import Mode
from services.matching.domain.states import EndReason
from services.matching.handlers import answers, rounds
from services.matching.handlers.linking import CHOOSE, RESPOND, WITHDRAW, is_asked, path_for
from services.matching.handlers.linking import subject_of as asked_about
from services.matching.handlers.shortlisting import today_of
from services.matching.handlers.views import offer_view
from services.matching.pages import wording
from services.matching.repository.matches import Match, Matches
from services.matching.repository.offers import Offers
from services.matching.repository.peers import Peers

log = get_log(__name__)
PAGES: Final = Pages(Path(__file__).parents[1] / "templates")

WAYS: Final = {
    "en": {Mode.IN_PERSON: "in person", Mode.VIDEO: "by video", Mode.PHONE: "by phone"},
    "es": {Mode.IN_PERSON: "en persona", Mode.VIDEO: "por video", Mode.PHONE: "por teléfono"},
}
DONE: Final = {
    "chosen": {
        "en": ("Thank you", "We ask the person you chose, and write to you as soon as we know."),
        "es": (
            "Gracias",
            "Preguntaremos a la persona elegida y le escribiremos en cuanto sepamos.",
        ),
    },
    "search": {
        "en": ("Thank you", "We keep looking. You keep your place in the queue."),
        "es": ("Gracias", "Seguimos buscando. Su lugar en la espera se mantiene."),
    },
    "withdrawn": {
        "en": ("All right", "Nothing more will happen. You are welcome back at any time."),
        "es": ("De acuerdo", "No pasará nada más. Puede volver cuando quiera."),
    },
    "accepted": {
        "en": ("Thank you", "A time for the first meeting comes next."),
        "es": ("Gracias", "Lo siguiente es acordar el primer encuentro."),
    },
    "not-now": {
        "en": ("Thank you for telling us", "You need not do anything else."),
        "es": ("Gracias por avisarnos", "No tiene que hacer nada más."),
    },
    "not-me": {
        "en": ("Thank you for telling us", "This link is closed. We will not write here again."),
        "es": ("Gracias por avisarnos", "Este enlace está cerrado. No volveremos a escribir aquí."),
    },
}


def show(request: Request, work: Work) -> Answer:
    link = links.open_link(work, request.path["secret"])
    match = _asked(link, Matches(work.connection).find(_match_id(link, work)))
    return Answer(html=_question(link, match, work))


def use(request: Request, work: Work) -> Answer:
    link = links.open_link(work, request.path["secret"])
    if request.form.get("act") == "not-me":
        _disown(link, work)
        return _done("not-me", link)
    match = _asked(link, Matches(work.connection).lock(_match_id(link, work)))
    act = {CHOOSE: _choose, RESPOND: _respond, WITHDRAW: _withdraw}[link.purpose]
    try:
        outcome = act(request, match, work)
    except Conflict:  # nothing was written yet: the place of an alternate was taken
        html = _question(link, match, work, taken=True)
        return Answer(html=html, status=409)
    links.use(work, link)
    path = _withdraw_path(link, match, work) if outcome == "chosen" else None
    return _done(outcome, link, withdraw_path=path)


def _disown(link: Link, work: Work) -> None:
    """The mail reached somebody else: close the link, and let nobody write there again."""
    match = Matches(work.connection).lock(_match_id(link, work))
    if match is None:
        raise Gone
    links.disown(work, link)
    person = "peer" if link.purpose == RESPOND else "client"
    if person == "peer":
        Peers(work.connection).dispute_contact(link.person_id, work.now)
    told = {"person": person, "person_id": link.person_id}
    rounds.tell(work, match, rounds.about(events.MatchContactDisowned, match, **told))
    log.info("link_disowned", link_id=link.id, purpose=link.purpose)


def _choose(request: Request, match: Match, work: Work) -> str:
    act = request.form.get("act")
    if act == "none":
        answers.take_no(match, "client", work)
        return "search"
    if act == "withdraw":
        return _withdraw(request, match, work)
    answers.take_choice(match, _uuid(request.form.get("choose")), work, how=None)
    return "chosen"


def _respond(request: Request, match: Match, work: Work) -> str:
    act = request.form.get("act")
    if act == "accept":
        answers.take_acceptance(match, work, how=None)
        return "accepted"
    if act == "not-now":
        answers.take_no(match, "peer", work)
        return "not-now"
    raise _no_button("act")


def _withdraw(request: Request, match: Match, work: Work) -> str:
    reasons = {"withdraw": EndReason.CLIENT_CHOICE, "another-peer": EndReason.ANOTHER_PEER}
    reason = reasons.get(request.form.get("act", ""))
    if reason is None:
        raise _no_button("act")
    _, following = rounds.end(match, reason, work)
    return "search" if following else "withdrawn"


def _withdraw_path(link: Link, match: Match, work: Work) -> str:
    return path_for(match, WITHDRAW, match.client_id, work, language=link.language)


def _question(link: Link, match: Match, work: Work, *, taken: bool = False) -> str:
    language = link.language
    if link.purpose == WITHDRAW:
        return PAGES.linked("withdraw.html", link)
    offer = Offers(work.connection).find(link.subject_id)
    if offer is None:
        raise Gone
    today = today_of(rounds.need_of(match, work), work)
    words = Words(PAGES, language)
    peers = [
        {
            **peer,
            "ways": _ways(peer["modes"], language),
            "spoken": words.languages(peer["languages"]),
            "lived": words.all(wording.TOPIC, peer["topics"]),
        }
        for peer in offer_view(offer, today, work, for_client=True)["peers"]
    ]
    if link.purpose == CHOOSE:
        return PAGES.linked("choose.html", link, peers=peers, taken=taken)
    ways = [way for peer in peers if peer["peer_id"] == link.person_id for way in peer["ways"]]
    return PAGES.linked("respond.html", link, ways=ways)


def _match_id(link: Link, work: Work) -> UUID:
    if link.purpose == WITHDRAW:
        return link.subject_id
    offer = Offers(work.connection).find(link.subject_id)
    if offer is None:
        raise Gone
    match_id: UUID = offer["match_id"]
    return match_id


def _asked(link: Link, match: Match | None) -> Match:
    """The match, as long as this person is asked and the link is about what is open now."""
    if match is None or asked_about(match, link.purpose) != link.subject_id:
        raise Gone
    if not is_asked(match, link.purpose, link.person_id):
        raise Gone
    return match


def _done(outcome: str, link: Link, *, withdraw_path: str | None = None) -> Answer:
    title, text = DONE[outcome][link.language]
    words = {"title": title, "text": text, "withdraw_path": withdraw_path}
    return Answer(html=PAGES.linked("done.html", link, **words))


def _ways(modes: list[Any], language: str) -> list[str]:
    return [WAYS[language][Mode(mode)] for mode in modes]


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise _no_button("choose") from None


def _no_button(field: str) -> Invalid:
    return Invalid({field: ["Not one of the buttons."]})
