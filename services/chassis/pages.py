"""Pages for people: plain forms without script, readable by everybody, in English and Spanish."""

import hashlib
from base64 import b64encode
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.chassis.problems import Problem

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = (_TEMPLATES / "page.css").read_text()
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

# The one style sheet stands in the page and is named by its hash; nothing else may load or run.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
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
        503: ("Inténtelo de nuevo en un momento", "No se guardó nada."),
        500: (
            "Algo salió mal por nuestra parte",
            "No se guardó nada. Inténtelo de nuevo más tarde.",
        ),
    },
}


class Pages:
    """Renders a service's templates; each extends `page.html` with blocks `title` and `main`."""

    def __init__(self, templates: Path) -> None:
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(_TEMPLATES)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, template: str, *, language: str, **facts: Any) -> str:
        style = Markup(_STYLE)  # noqa: S704  our own file
        return self._environment.get_template(template).render(
            language=language, style=style, **facts
        )


_CHASSIS_PAGES = Pages(_TEMPLATES)


def problem_page(problem: Problem, language: str) -> str:
    """A problem in words for whoever opened the page; what happened stays with the JSON answer."""
    words = _WORDS[language]
    if problem.status in words:
        title, text = words[problem.status]
    else:
        title, text = words[422 if problem.status < 500 else 500]
    return _CHASSIS_PAGES.render("problem.html", language=language, title=title, text=text)
