"""Commands to a database whose disk fills up: `unshare -m python -m tests.faults.full_disk FOLDER`.

The folder becomes a small disk of its own, in a mount namespace that ends with this process.
Prints how many commands were answered how, and which accepted ones are lost; nothing lost is 0.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from uuid import uuid4

from deploy.machine.postgres import PrivatePostgres
from services.chassis.roles import Role
from tests.faults.parcel_service import Parcels
from tests.support import Databases, Scene, caller, wait_for

SIZE = "160m"
_MOST = 3000


def main(folder: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
    server = PrivatePostgres(folder / "postgres", durable=True).start()
    scene = Scene(Parcels, Databases(server.dsn).fresh("matching"))
    try:
        print(json.dumps(_story(scene, folder / "ballast")))  # noqa: T201
    finally:
        scene.close()
        server.stop()


def _story(scene: Scene, ballast: Path) -> dict[str, object]:
    accepted: list[str] = []
    answers: Counter[str] = Counter()

    def command() -> int:
        note = str(uuid4())
        body = {"note_id": note, "number": 1}
        status = scene.call("take_in", caller(Role.OPERATOR), body, key=str(uuid4())).status
        answers[str(status)] += 1
        if status == 204:
            accepted.append(note)
        return status

    assert command() == 204
    with ballast.open("wb") as file:
        room = os.statvfs(ballast)
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_bsize)
    for _ in range(_MOST):
        if command() != 204:
            break
    ballast.unlink()
    wait_for(lambda: command() == 204, seconds=20)
    kept = {str(row["aggregate_id"]) for row in scene.rows("SELECT aggregate_id FROM outbox")}
    return {"answers": answers, "lost": len(set(accepted) - kept)}


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
