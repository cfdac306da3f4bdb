"""Where one system's backups lie: base backups, the archived log since, and the journals.

A system is known by a name made with its secrets, so that a new one in the same run folder does
not take an older one's backups for its own.
"""

from dataclasses import dataclass
from pathlib import Path

from deploy.machine.private_files import Secrets


@dataclass(frozen=True)
class BackupFolder:
    path: Path

    @classmethod
    def of(cls, root: Path, secrets: Secrets) -> "BackupFolder":
        return cls(root / secrets.of("system")[:12])

    @property
    def base(self) -> Path:
        return self.path / "base"

    @property
    def log(self) -> Path:
        """The archived segments of the database server's log; made by the first backup."""
        return self.path / "log"

    @property
    def journals(self) -> Path:
        return self.path / "journal"

    def create(self) -> None:
        """Others pass through to what is theirs, and read nothing."""
        for folder in (self.path.parent, self.path):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
        for folder in (self.base, self.journals):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
