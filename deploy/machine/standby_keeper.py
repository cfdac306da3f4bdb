"""Keeps the standby: in step, or out of the commits' way; and promotes it when an operator says so.

A commit waits for the standby, so a dead one must be taken out before commits are answered again.
That is written down first: a standby that was taken out lacks answered commits, and is not
promoted.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from deploy.machine.keeper import Keeper, Stopped, say
from deploy.machine.run_folder import CannotStart, read_json, write_json
from deploy.machine.standby import NAME, DatabasePair, Roles, follow_only

# So long, and up to 3 s more, commits wait for a silent standby: no timeout of a session ends
# the wait within a commit. Then they go on without it.
SILENT_SECONDS = 8.0
_LOOK_SECONDS = 0.25
_PROMOTE_SECONDS = 60
PROMOTE, REBUILD = "promote", "rebuild"


class Declined(Exception):
    """One line for the operator who asked."""


class StandbyKeeper:
    """Two loops, for the one that looks at a frozen primary hears nothing while it is frozen."""

    def __init__(self, pair: DatabasePair, keeper: Keeper, requests: Path, *, tier: int) -> None:
        self.pair = pair
        self.keeper = keeper
        self.requests = requests
        self.tier = tier
        self._deciding = threading.Lock()
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._streamed_at = time.monotonic()
        self._must_reach: str | None = None
        self._is_running = False

    def start(self) -> None:
        """Finish what a crash interrupted, then keep and serve until the supervisor stops."""
        self.requests.unlink(missing_ok=True)
        _promote(self.pair.primary.dsn())
        for loop, name in ((self._look, "standby"), (self.serve, "requests")):
            threading.Thread(target=self._repeat, args=(loop,), name=name, daemon=True).start()

    def is_settled(self) -> bool:
        roles = self.pair.roles
        return roles.in_step or roles.fenced

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self.keeper.stopping.wait(_LOOK_SECONDS):
            try:
                step()
            except Stopped:
                return
            except (psycopg.Error, CannotStart, OSError) as error:
                self._connection = None
                say(f"standby: {type(error).__name__}: {str(error).splitlines()[0]}")
                self.keeper.stopping.wait(1)

    def _look(self) -> None:
        """Have commits wait for a standby that streams, and not for one that does not."""
        if self.pair.roles.fenced:
            return
        if not self._is_running:
            self.pair.make_standby()
            self.keeper.add(self.pair.standby.program(), tier=self.tier)
            self._is_running = True
        seen = self._ask_primary()
        if seen["is_streaming"]:
            self._streamed_at = time.monotonic()
            self._bring_in_step(seen)
        elif seen["is_required"] and time.monotonic() - self._streamed_at > SILENT_SECONDS:
            self._take_out()

    def _ask_primary(self) -> dict[str, Any]:
        query = """
            SELECT current_setting('synchronous_standby_names') <> '' AS is_required,
                   pg_current_wal_insert_lsn()::text AS written,
                   coalesce(bool_or(state = 'streaming'
                                    AND clock_timestamp() - reply_time < interval '3 seconds'),
                            false) AS is_streaming,
                   coalesce(bool_or(flush_lsn >= %s::pg_lsn), false) AS has_reached
              FROM pg_stat_replication
             WHERE application_name = %s
        """
        (row,) = self._primary().execute(query, (self._must_reach, NAME)).fetchall()
        return row

    def _bring_in_step(self, seen: dict[str, Any]) -> None:
        """In three looks: require it; note how far the log is by then; see it come as far.

        What was answered without it lies before that, for by the second look every session
        has heard that it is required.
        """
        if not seen["is_required"]:
            self._must_reach = None
            self._require(NAME)
        elif self._must_reach is None:
            self._must_reach = seen["written"]
        elif seen["has_reached"] and not self.pair.roles.in_step:
            self._write(in_step=True)
            say(f"{self.pair.standby.name} is in step")

    def _take_out(self) -> None:
        self._write(in_step=False)  # first, for from the next line on it falls behind
        self._require("")
        self._must_reach = None
        say(f"{self.pair.standby.name} is out of step: commits do not wait for it")

    def _require(self, names: str) -> None:
        self._primary().execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self._primary().execute("SELECT pg_reload_conf()")

    def _write(self, *, in_step: bool) -> None:
        with self._deciding:
            roles = self.pair.roles
            if not roles.fenced:
                self.pair.write(replace(roles, in_step=in_step))

    def _primary(self) -> psycopg.Connection[dict[str, Any]]:
        if self._connection is None:
            self._connection = psycopg.connect(
                self.pair.primary.dsn(),
                autocommit=True,
                row_factory=dict_row,
                connect_timeout=2,
                options="-c synchronous_commit=local",
            )
        return self._connection

    def serve(self) -> None:
        """Do what an operator has asked for, if anything, and say what came of it."""
        asked = read_json(self.requests).get("asked")
        if asked is None:
            return
        act = {PROMOTE: self._promote_standby, REBUILD: self._rebuild}[asked]
        try:
            told = act()
        except (Declined, psycopg.Error) as error:
            told = f"declined: {error}"
        say(f"{asked}: {told}")
        write_json(self.requests, {"told": told})

    def _promote_standby(self) -> str:
        """End the primary for good, and only then let the standby take writes."""
        with self._deciding:
            roles = self.pair.roles
            if roles.fenced or not roles.in_step:
                raise Declined("The standby lacks commits that were answered; restore a backup.")
            before, after = self.pair.primary, self.pair.standby
            self.keeper.remove(before.name)
            follow_only(before)
            self.pair.write(Roles(1 - roles.primary, in_step=False, fenced=True))
        _promote(after.dsn())
        return f"{after.name} takes the writes; {before.name} is ended and takes none any more."

    def _rebuild(self) -> str:
        with self._deciding:
            roles = self.pair.roles
            if roles.in_step:
                raise Declined("The standby is in step; there is no need.")
            if not _takes_writes(self.pair.primary.dsn()):
                raise Declined("The primary takes no writes: this may be the last whole copy.")
            self.keeper.remove(self.pair.standby.name)
            self.pair.discard_standby()
            self._is_running = False
            self.pair.write(replace(roles, fenced=False))
        return f"{self.pair.standby.name} is made anew from {self.pair.primary.name}."


def _takes_writes(dsn: str) -> bool:
    """Raises for a server that is away."""
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
        row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        return row == (False,)


def _promote(dsn: str) -> None:
    """Have a server take writes; nothing happens to one that does."""
    if _takes_writes(dsn):
        return
    with psycopg.connect(dsn, autocommit=True, connect_timeout=5) as connection:
        connection.execute("SELECT pg_promote(true, %s)", (_PROMOTE_SECONDS,))
