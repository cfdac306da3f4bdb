"""What every command of `kindred` has in common: one line for trouble, and the running system."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from deploy.machine import control
from deploy.machine.processes import DidNotStart
from deploy.machine.run_folder import CannotStart, RunFolder
from deploy.machine.running_system import RunningSystem

P = ParamSpec("P")


def one_line_for_trouble(command: Callable[P, None]) -> Callable[P, None]:
    """What stops a command is said in one line, and the exit status is 1."""

    @wraps(command)
    def wrapped(*arguments: P.args, **options: P.kwargs) -> None:
        try:
            command(*arguments, **options)
        except (CannotStart, DidNotStart) as error:
            raise click.ClickException(str(error)) from error

    return wrapped


def a_system() -> RunningSystem:
    """The running system, or one line that there is none."""
    run = RunFolder.of_environment()
    if control.running(run) is None:
        raise CannotStart("The system is not running: make up starts it.")
    return RunningSystem(run)
