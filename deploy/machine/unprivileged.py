"""Running a server as an unprivileged user when we are root; PostgreSQL refuses root."""

import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_USERS = ("postgres", "nobody")
# With these a clone in a closed home can be read and written; capabilities(7) numbers them.
_CAPABILITIES = {"dac_override": 1, "dac_read_search": 2}


@dataclass(frozen=True)
class Account:
    """Who a server runs as: a prefix for its command, and the owner of its files."""

    prefix: Sequence[str | Path] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def own_all(self, folder: Path) -> None:
        self.own(folder)
        for path in folder.rglob("*"):
            self.own(path)


def unprivileged() -> Account:
    """Ourselves, or for root the user `postgres` or `nobody`, still able to reach the folder."""
    if os.geteuid() != 0:
        return Account()
    user = _first_known_user()
    names = ",".join(f"+{name}" for name in _allowed_capabilities())
    carried = [f"--inh-caps={names}", f"--ambient-caps={names}"] if names else []
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    identity = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return Account([setpriv, *identity, *carried], user.pw_uid, user.pw_gid)


def _first_known_user() -> pwd.struct_passwd:
    for name in _USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError(f"root needs one of the users {', '.join(_USERS)} to run servers as")


def _allowed_capabilities() -> list[str]:
    """Those that this machine lets a process hold; a container may have taken some away."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    mask = int(bounding.split()[1], 16)
    return [name for name, bit in _CAPABILITIES.items() if mask >> bit & 1]
