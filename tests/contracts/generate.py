"""Write examples/<type>.json for every published event, by the producer's own schema.

`python -m tests.contracts.generate` writes them, `--check` says whether they are fresh.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from marshmallow import fields, validate

from deploy.events_catalogue import Published, catalogue

EXAMPLES = Path(__file__).parent / "examples"

_MOMENT = datetime(2027, 3, 9, 15, 0, tzinfo=UTC)
_WORDS = {"time_zone": "America/Chicago", "area": "Tulsa", "name": "Invented Cedar Clinic"}


def path_of(event: Published) -> Path:
    return EXAMPLES / f"{event.name}.json"


def example_of(event: Published) -> dict[str, Any]:
    """One event as its producer writes it; the same at every run."""
    written: dict[str, Any] = event.schema().dump(instance_of(event))
    return written


def instance_of(event: Published) -> Any:
    fields_of = event.schema().fields
    return event.event(**{name: _value(name, field) for name, field in fields_of.items()})


def _value(name: str, field: fields.Field[Any]) -> Any:
    for kind, make in _MAKERS.items():
        if isinstance(field, kind):
            return make(name, field)
    return _word(name, field)


def _word(name: str, field: fields.Field[Any]) -> Any:
    choices = [rule.choices for rule in field.validators if isinstance(rule, validate.OneOf)]
    return next(iter(choices[0])) if choices else _WORDS.get(name, f"{name}-example")


def _moment(name: str, _: fields.Field[Any]) -> datetime:
    return _MOMENT + (timedelta(minutes=50) if name.startswith("ends") else timedelta())


_MAKERS: dict[type[fields.Field[Any]], Any] = {
    fields.UUID: lambda name, _: uuid5(NAMESPACE_URL, f"https://kindred.example/{name}"),
    fields.DateTime: _moment,
    fields.Date: lambda *_: date(2027, 3, 9),
    fields.Boolean: lambda *_: True,
    fields.Integer: lambda *_: 1,
    fields.List: lambda name, field: [_value(name.removesuffix("s"), field.inner)],
}


def text_of(event: Published) -> str:
    return json.dumps(example_of(event), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 when stale")
    asked = parser.parse_args(arguments)
    fresh = {path_of(event): text_of(event) for event in catalogue()}
    found = {path: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.json")}
    if asked.check:
        stale = sorted(path.name for path in fresh | found if fresh.get(path) != found.get(path))
        for name in stale:
            sys.stdout.write(f"{name} is stale; `python -m tests.contracts.generate` writes it\n")
        return 1 if stale else 0
    EXAMPLES.mkdir(exist_ok=True)
    for path in found.keys() - fresh.keys():
        path.unlink()
    for path, text in fresh.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
