"""The forms of a page, as a browser would send them back."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """One form: the address it posts to, what it sends, and the buttons it can be sent by."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        seen = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(seen.get("action", ""), seen.get("method", "get").upper())
            self.forms.append(self._open)
        elif self._open is not None and tag in {"input", "button"}:
            _note_control(self._open, tag, seen)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def _note_control(form: Form, tag: str, seen: dict[str, str]) -> None:
    name, value = seen.get("name", ""), seen.get("value", "")
    kind = seen.get("type", "submit" if tag == "button" else "text")
    if kind == "submit":
        form.buttons.append((name, value))
    elif kind == "radio":
        form.choices.setdefault(name, []).append(value)
        form.fields.setdefault(name, value)  # the first is taken unless the reader picks another
        if "checked" in seen:
            form.fields[name] = value
    elif name and kind != "checkbox":
        form.fields[name] = value


def forms_of(html: str) -> list[Form]:
    parser = _Forms()
    parser.feed(html)
    return parser.forms
