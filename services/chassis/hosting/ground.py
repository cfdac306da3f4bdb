"""What a worker stands on: waited for while it is away, refused when it lacks something."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from amqp import AMQPError
from kombu.exceptions import KombuError

from services.chassis.database import Database
from services.chassis.refusals import (
    REFUSED,
    Refusal,
    require_migrations,
    require_topology,
    say_refusal,
)
from services.chassis.settings import Settings

# The supervisor declares missing topology again every ten seconds.
PATIENCE_SECONDS = 15.0
_PAUSE_SECONDS = 1.0
_AWAY = (psycopg.Error, OSError, AMQPError, KombuError)


@dataclass
class Ground:
    """Checked beside the loops, which do what they can meanwhile; over once all is there."""

    database: Database
    settings: Settings
    service: str
    queues: Sequence[str]
    end: Callable[[int], object] = os._exit

    def start(self) -> None:
        threading.Thread(target=self.check, name="ground", daemon=True).start()

    def check(self) -> None:
        lacking_since: float | None = None
        while True:
            try:
                refusal = self._look()
            except _AWAY:
                refusal = lacking_since = None  # the loops tell of it
            else:
                if refusal is None:
                    return
                lacking_since = lacking_since or time.monotonic()
            if lacking_since and time.monotonic() - lacking_since > PATIENCE_SECONDS:
                say_refusal(refusal)
                self.end(REFUSED)
                return
            time.sleep(_PAUSE_SECONDS)

    def _look(self) -> Refusal | None:
        try:
            require_migrations(self.database, self.service)
            require_topology(self.settings, self.service, self.queues)
        except Refusal as refusal:
            return refusal
        return None
