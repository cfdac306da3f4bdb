"""A letter on paper to whoever is not written to otherwise: where things stand, and what is next.

It says neither what it is about nor who referred them, as somebody else may open it.
"""

from services.chassis.help_lines import help_of
from services.chassis.http.request import Answer, Request
from services.chassis.pages import Words
from services.chassis.work import Work
from services.referrals.handlers.read import own_referral
from services.referrals.handlers.view import Kept
from services.referrals.pages.console import PAGES, clinics_of, name_of
from services.referrals.pages.own import sessions_ahead, stands


def show(request: Request, work: Work) -> Answer:
    """In the person's language, whoever prints it."""
    row = own_referral(request, work)
    client = row["client"]
    spoken = client["languages"][0].partition("-")[0]
    words, zone = Words(PAGES, PAGES.spoken(spoken)), client["time_zone"]
    steps = Kept.of(row["id"], work).steps
    html = PAGES.render(
        "letter.html",
        language=words.language,
        in_need=help_of(work, [row["clinic_id"]]),
        referral_id=row["id"],
        name=name_of(client),
        today=words.day(work.now.date()),
        stands=words(stands(row)),
        until=row["paused_until"] and words.day(row["paused_until"]),
        is_paused=row["paused_at"] is not None,
        ahead=[words.moment(at, zone) for at in sessions_ahead(steps, work.now)],
        clinic=clinics_of(work)[row["clinic_id"]],
        zone=zone,
    )
    return Answer(html=html)
