"""Ends a broker node that has frozen, so that it starts again: only in a cluster.

A node that wakes after the others gave it up would go on apart from them, with a broken view of
who is there; no partition handling of RabbitMQ notices that. Killed before, it joins anew.
"""

from collections.abc import Callable, Sequence
from threading import Event as Flag
from threading import Thread

from deploy.machine.keeper import say
from deploy.machine.rabbitmq import RabbitServer

_PAUSE_SECONDS = 2.0
# Below the 22 s after which the others may give a silent node up.
SILENT_SECONDS = 10.0


def watch(nodes: Sequence[RabbitServer], kill: Callable[[str], None], stopping: Flag) -> None:
    """Watch each node in a thread of its own, for a frozen one holds up whoever asks it."""
    for node in nodes:
        Thread(target=_watch, args=(node, kill, stopping), daemon=True).start()


def _watch(node: RabbitServer, kill: Callable[[str], None], stopping: Flag) -> None:
    while not stopping.wait(_PAUSE_SECONDS):
        # One that refuses us is starting, or has paused itself for want of a majority.
        if node.is_silent(SILENT_SECONDS) and not stopping.is_set():
            say(f"{node.name} gave no sign for {SILENT_SECONDS:.0f} s and is ended")
            kill(node.name)
