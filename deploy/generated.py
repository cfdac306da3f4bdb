"""A generated file of one text: written anew, or compared with what is there."""

import sys
from pathlib import Path


def write_or_check(path: Path, text: str, *, check: bool, command: str) -> int:
    """The exit status: 1 where a check finds the file stale, and says what writes it."""
    if not check:
        path.write_text(text)
        return 0
    if path.exists() and path.read_text() == text:
        return 0
    print(f"deploy/{path.name} is stale: run {command}", file=sys.stderr)
    return 1
