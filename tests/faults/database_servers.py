"""A database server as a test disturbs it: every process of it frozen, and thawed."""

import signal

from deploy.machine.processes import Identity, descendants


def family(server: Identity) -> list[Identity]:
    return [server, *descendants(server.pid)]


def freeze(server: Identity) -> None:
    """Stop the server and its sessions: a session alone would go on answering."""
    frozen: set[Identity] = set()
    while left := set(family(server)) - frozen:
        for process in left:
            process.send(signal.SIGSTOP)
        frozen |= left


def thaw(server: Identity) -> None:
    for process in family(server):
        process.send(signal.SIGCONT)
