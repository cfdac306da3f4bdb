"""Pages for people: plain forms without script, readable by everybody, in English and Spanish."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from services.chassis.assets import STYLESHEET
from services.chassis.http.reading import LANGUAGES
from services.chassis.mistakes import mistake_in
from services.chassis.problems import REUSED, Invalid, Problem

if TYPE_CHECKING:
    from services.chassis.help_lines import Help
    from services.chassis.http.request import Form, Request
    from services.chassis.links import Link

_TEMPLATES = Path(__file__).parent / "templates"

# The one style sheet comes from the gateway; nothing else may load or run.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)

_WORDS = {
    "en": {
        404: ("We do not know this page", "Please check that the whole link was copied."),
        410: (
            "This link is no longer in use",
            "Nothing needs to be done. If something is still open, a new message will come.",
        ),
        409: (
            "Something has changed in the meantime",
            "Nothing was saved. If something is still open, a new message will come.",
        ),
        422: ("We could not read that", "Nothing was saved. Please go back and try again."),
        403: ("This page is not for you", "Nothing was saved."),
        412: ("Somebody else changed this", "Nothing was saved. Please look at it again."),
        503: ("Please try again in a moment", "Nothing was saved."),
        500: ("Something went wrong on our side", "Nothing was saved. Please try again later."),
    },
    "es": {
        404: ("No conocemos esta página", "Compruebe que el enlace se copió entero."),
        410: (
            "Este enlace ya no está en uso",
            "No tiene que hacer nada. Si queda algo pendiente, recibirá otro mensaje.",
        ),
        409: (
            "Algo ha cambiado mientras tanto",
            "No se guardó nada. Si queda algo pendiente, recibirá otro mensaje.",
        ),
        422: ("No pudimos leerlo", "No se guardó nada. Vuelva atrás e inténtelo de nuevo."),
        403: ("Esta página no es para usted", "No se guardó nada."),
        412: ("Otra persona cambió esto", "No se guardó nada. Vuelva a mirarlo."),
        503: ("Inténtelo de nuevo en un momento", "No se guardó nada."),
        500: (
            "Algo salió mal por nuestra parte",
            "No se guardó nada. Inténtelo de nuevo más tarde.",
        ),
    },
}


# What a page says above itself where a step was not taken; what is wrong with a field stands there.
_IN_THE_WAY = {
    "en": {
        "stale-version": "Somebody else changed this in the meantime. This is how it is now.",
        REUSED: "This form was sent already. Nothing more was done; look at what came of it.",
        "": "This step is not possible now. This is how it is.",
    },
    "es": {
        "stale-version": "Otra persona cambió esto mientras tanto. Así está ahora.",
        REUSED: "Este formulario ya se envió. No se hizo nada más; mire qué resultó.",
        "": "Este paso no es posible ahora. Así está.",
    },
}


def in_the_way(problem: Problem | None, language: str) -> str | None:
    """What stood in the way of a step, in words for the top of the page that shows it again."""
    if problem is None or (isinstance(problem, Invalid) and problem.slug != REUSED):
        return None
    words = _IN_THE_WAY[language]
    return words.get(problem.slug, words[""])


class Pages:
    """Renders a service's templates; each extends `page.html` with blocks `title` and `main`.

    Words are English where they are written, and come in other languages from `words/<code>.po`
    beside the templates' folder.
    """

    def __init__(self, templates: Path) -> None:
        self._words = {code: _words_in(templates.parent, code) for code in LANGUAGES}
        self._environments = {
            code: _environment(templates, words) for code, words in self._words.items()
        }

    def render(
        self,
        template: str,
        *,
        language: str,
        in_need: "Help | None" = None,
        **facts: Any,
    ) -> str:
        found = self._environments[language].get_template(template)
        return found.render(language=language, stylesheet=STYLESHEET, in_need=in_need, **facts)

    def linked(self, template: str, link: "Link", **facts: Any) -> str:
        """A page for whoever was sent the link."""
        return self.render(
            template, language=link.language, in_need=link.help, is_private=True, **facts
        )

    def visited(self, template: str, request: "Request", **facts: Any) -> str:
        """A page for the signed-in person whose request it is."""
        visit = request.visit
        return self.render(
            template,
            language=request.language,
            in_need=visit.help if visit else None,
            visit=visit,
            form=request.form,
            **facts,
        )

    def spoken(self, language: str) -> str:
        """The language, if there are words in it; else the first of ours."""
        return language if language in self._words else LANGUAGES[0]

    def word(self, text: str, language: str) -> str:
        return self._words[language].gettext(text)


@dataclass(frozen=True)
class Words:
    """Codes and times as the page's reader says them."""

    pages: Pages
    language: str

    def __call__(self, text: str) -> str:
        return self.pages.word(text, self.language)

    def mistake(self, english: str) -> str:
        """What is wrong with a field: in the service's own words, or in those of all."""
        own = self(english)
        return own if own != english else mistake_in(self.language, english)

    def of(self, table: Mapping[str, str], code: str | None) -> str:
        """What a code is called; one that the table does not know, as it is."""
        if code is None:
            return ""
        return self(table[code]) if code in table else code

    def all(self, table: Mapping[str, str], codes: Iterable[str]) -> str:
        return ", ".join(self.of(table, code) for code in codes)

    def options(self, table: Mapping[str, str]) -> list[tuple[str, str]]:
        return [(code, self.of(table, code)) for code in table]

    def languages(self, codes: Iterable[str]) -> str:
        """What languages are called (BCP 47), as far as CLDR knows their first subtag."""
        names = Locale(self.language).languages
        return ", ".join(names.get(code.partition("-")[0].lower(), code) for code in codes)

    def day(self, day: date) -> str:
        return format_date(day, "medium", locale=self.language)

    def moment(self, moment: datetime, zone: str) -> str:
        """By the clock of a zone, which the page names."""
        shown = moment.astimezone(ZoneInfo(zone))
        return f"{self.day(shown)}, {format_time(shown, 'short', locale=self.language)}"


def noted(text: str) -> str:
    """Mark words for translation where a table holds them."""
    return text


def _environment(templates: Path, words: NullTranslations) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(_TEMPLATES)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    return environment


def _words_in(folder: Path, language: str) -> NullTranslations:
    path = folder / "words" / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


_CHASSIS_PAGES = Pages(_TEMPLATES)


def problem_page(problem: Problem, language: str, in_need: "Help | None" = None) -> str:
    """A problem in words for whoever opened the page; what happened stays with the JSON answer."""
    told = _WORDS[language]
    if problem.status in told:
        title, text = told[problem.status]
    else:
        title, text = told[422 if problem.status < 500 else 500]
    words = {"title": title, "text": text}
    return _CHASSIS_PAGES.render("problem.html", language=language, in_need=in_need, **words)


def signed_out_page(form: "Form", language: str, *, idle: bool) -> str:
    """What was sent after the session had ended, kept until its writer has signed in again."""
    return _CHASSIS_PAGES.render("signed-out.html", language=language, kept=form, idle=idle)
