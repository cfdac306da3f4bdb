"""PostgreSQL's own programs, run against a server whose password nobody sees in their arguments."""

import subprocess
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.machine.environment import server_environment
from deploy.machine.postgres import binaries
from deploy.machine.run_folder import CannotStart


def run_tool(name: str, *arguments: str | Path, dsn: str | None = None) -> None:
    """Run it, or raise with its own last word."""
    where, environment = [], server_environment()
    if dsn:
        address: dict[str, Any] = dict(conninfo_to_dict(dsn))
        environment["PGPASSWORD"] = str(address.pop("password", ""))
        where = [f"--dbname={make_conninfo(**address)}"]
    done = subprocess.run(
        [str(part) for part in (binaries() / name, *where, *arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        raise CannotStart(f"{name}: {last[0]}")
