"""JSON lines that cannot hold a payload: an event's name, and ids, numbers and codes."""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

# A code of ours: lower case, short, without spaces. Names, contacts and free text do not fit.
_CODE = re.compile(r"[a-z0-9][a-z0-9_.:/{}-]{0,80}", re.ASCII)

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class Log:
    """Writes one line per call; a field that is no id, number or code is written as `withheld`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"kindred.{name}")

    def debug(self, event: str, **fields: Any) -> None:
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, *, error: BaseException | None = None, **fields: Any) -> None:
        self._write(logging.ERROR, event, fields, error)

    def _write(
        self, level: int, event: str, fields: dict[str, Any], error: BaseException | None = None
    ) -> None:
        exc_info = (type(error), error, error.__traceback__) if error else None
        safe = {name: _safe(value) for name, value in fields.items()}
        self._logger.log(level, event, extra={"fields": safe}, exc_info=exc_info)


def get_log(name: str) -> Log:
    return Log(name.removeprefix("services."))


def configure(process: str, to: TextIO | None = None) -> None:
    """Send every logger of the process, other libraries' too, through the safe formatter."""
    handler = logging.StreamHandler(to or sys.stdout)
    handler.setFormatter(JsonFormatter(process))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.getLogger("nameko").setLevel(logging.WARNING)
    logging.getLogger("amqp").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    """Formats our own lines whole, and of other libraries' lines only where they came from.

    An exception is told by its type and the lines of code it passed: its text may quote data
    (PostgreSQL's DETAIL does), so it is left out.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.startswith("kindred.")
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self.process,
            "logger": record.name,
            "event": record.msg if ours else "library_message",
        }
        if ours:
            line.update(getattr(record, "fields", {}))
        else:
            line["line"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[0]:
            line.update(_error(record.exc_info))
        return json.dumps(line)


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, UUID | datetime):
        return str(value)
    if isinstance(value, str) and _CODE.fullmatch(value):
        return value
    return "withheld"


def _error(exc_info: Any) -> dict[str, Any]:
    kind, error, trace = exc_info
    frames = traceback.extract_tb(trace)[-12:]
    described: dict[str, Any] = {
        "error": f"{kind.__module__}.{kind.__qualname__}",
        "trace": [f"{_short(frame.filename)}:{frame.lineno}:{frame.name}" for frame in frames],
    }
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate:
        described["sqlstate"] = sqlstate
    return described


def _short(path: str) -> str:
    for root in ("/services/", "/deploy/", "/site-packages/", "/lib/"):
        _, found, tail = path.rpartition(root)
        if found:
            return (root + tail).lstrip("/")
    return path.rpartition("/")[2]
