"""The style sheet of every page, named by what is in it, so that a browser may keep it for ever."""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).with_name("style")
_PARTS = ("govuk-frontend-6.6.0.min.css", "kindred.css")


def stylesheet() -> bytes:
    return b"\n".join((FOLDER / part).read_bytes() for part in _PARTS)


STYLESHEET = f"kindred-{hashlib.sha256(stylesheet()).hexdigest()[:16]}.css"
