"""The words of a message: templates, a reader's language, and times as that reader says them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifications.domain.kinds import Kind, Recipient

# The network is in the United States; the country decides between 3:00 PM and 15:00.
LOCALES = {"en": Locale("en", "US"), "es": Locale("es", "US")}
FALLBACK = "en"

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, kw_only=True)
class Text:
    """What a reader reads, as plain text and as simple HTML of the same words."""

    subject: str
    plain: str
    html: str


def language_of(*wishes: str | None) -> str:
    """The first wish that we have texts for, by its main language (es-MX reads es)."""
    for wish in wishes:
        main = (wish or "").replace("_", "-").split("-")[0].lower()
        if main in LOCALES:
            return main
    return FALLBACK


def span_in_words(starts_at: datetime, ends_at: datetime, *, zone: str, language: str) -> str:
    """Such as `Monday, March 2, 2026, 10:00 AM to 10:50 AM (Eastern Standard Time)`."""
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in (starts_at, ends_at))
    to = format_time(end, "short", tzinfo=end.tzinfo, locale=LOCALES[language])
    word = words(language, "to")
    return _tidy(f"{_day_and_time(start, language)} {word} {to} ({_zone_name(start, language)})")


def moment_in_words(moment: datetime, *, zone: str, language: str) -> str:
    wall = moment.astimezone(ZoneInfo(zone))
    return _tidy(f"{_day_and_time(wall, language)} ({_zone_name(wall, language)})")


def render(
    recipient: Recipient,
    kind: Kind,
    *,
    language: str,
    facts: Mapping[str, object],
    page: str | None = None,
) -> Text:
    """Fill one text; a name cannot add a line, so nobody can write themselves a paragraph.

    At its end stands the address of the recipient's own page, where they have one.
    """
    tidy = {key: _tidy(fact) if isinstance(fact, str) else fact for key, fact in facts.items()}
    template = _templates.get_template(f"{language}/{recipient}.txt")
    block = template.blocks[kind.replace("-", "_")]
    written = "".join(block(template.new_context(tidy))).strip()
    head, _, body = written.partition("\n\n")
    paragraphs = [part.strip() for part in body.split("\n\n") if part.strip()]
    if page is not None:
        paragraphs += [words(language, "own_page"), page]
    subject = head.removeprefix("Subject:").strip()
    html = _templates.get_template("layout.html").render(
        language=language, subject=subject, paragraphs=paragraphs
    )
    return Text(subject=subject, plain="\n\n".join(paragraphs) + "\n", html=html + "\n")


@cache
def words(language: str, name: str) -> str:
    """A short wording used outside the mails' texts, such as a calendar entry's title."""
    template = _templates.get_template(f"{language}/words.txt")
    return "".join(template.blocks[name](template.new_context({}))).strip()


def _day_and_time(wall: datetime, language: str) -> str:
    locale = LOCALES[language]
    day = format_date(wall, "full", locale=locale)
    return f"{day}, {format_time(wall, 'short', tzinfo=wall.tzinfo, locale=locale)}"


def _zone_name(wall: datetime, language: str) -> str:
    return get_timezone_name(wall, width="long", locale=LOCALES[language])


def _tidy(text: str) -> str:
    """One line with plain spaces: Babel's narrow ones show as boxes in some mail programs."""
    return " ".join(text.split())
