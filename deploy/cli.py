"""The `kindred` command: starting, stopping and operating the system on one machine."""

import getpass
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import click

from deploy.command import a_system, one_line_for_trouble
from deploy.machine import control
from deploy.machine.caller import Caller
from deploy.machine.run_folder import CannotStart, RunFolder
from deploy.machine.running_system import RunningSystem
from deploy.machine.standby_keeper import PROMOTE, REBUILD
from deploy.recovery_commands import backup, reconcile, restore
from services.chassis.roles import Role

_IDENTIFIER = "ID"


@click.group(context_settings={"max_content_width": 100})
def main() -> None:
    """Kindred on one machine."""


@main.command()
@click.option("--region", default="", help="`demo` loads the demo region.")
@one_line_for_trouble
def up(region: str) -> None:
    """Start the whole system in the background."""
    if region not in {"", "demo"}:
        raise CannotStart(f"There is no region {region}; REGION=demo is the only one.")
    url, _ = control.up(RunFolder.of_environment())
    if region:
        _load_demo_region(a_system())
    click.echo(f"READY {url}")


@main.command()
@one_line_for_trouble
def down() -> None:
    """Stop everything, keep the data."""
    was_running = control.down(RunFolder.of_environment())
    click.echo("Stopped." if was_running else "Nothing was running.")


@main.command()
@one_line_for_trouble
def clean() -> None:
    """Stop everything and remove the data as well."""
    control.clean(RunFolder.of_environment())
    click.echo("Stopped, and the data is removed.")


class AskedToStop(BaseException):
    """Ctrl-C or SIGTERM: ends what the demo is at, wherever that is."""


@main.command()
@one_line_for_trouble
def demo() -> None:
    """Start the system, walk one referral through it, and stay until Ctrl-C."""
    run = RunFolder.of_environment()
    was_running = control.running(run) is not None
    make = Caller() if "MAKELEVEL" in os.environ else None
    _raise_when_asked_to_stop()
    try:
        url, _ = control.up(run)
        _walk_demo_region(a_system())
        click.echo(f"READY {url}")
        control.wait_for_end(run, lambda: make is not None and make.has_left())
        if control.running(run) is None:
            raise CannotStart(f"The supervisor ended; see {run.log('supervisor')}")
    except AskedToStop:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if not was_running:
            control.down(run)
            click.echo("Stopped.")


def _raise_when_asked_to_stop() -> None:
    def stop(*_: object) -> None:
        raise AskedToStop

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _load_demo_region(system: RunningSystem) -> None:
    from deploy.region.filling import fill  # noqa: PLC0415  others start without the region
    from deploy.region.loading import load  # noqa: PLC0415

    load(system)
    fill(system)


def _walk_demo_region(system: RunningSystem) -> None:
    from deploy.region.api import Refused  # noqa: PLC0415
    from deploy.region.story import StepMissing  # noqa: PLC0415
    from deploy.region.walk import walk  # noqa: PLC0415

    try:
        _load_demo_region(system)
        walk(system)
    except (Refused, StepMissing) as error:
        raise CannotStart(f"The walk stopped: {error}") from error


@main.command()
@one_line_for_trouble
def status() -> None:
    """Every process with its pid and ports."""
    from deploy.probe import how_it_went  # noqa: PLC0415

    run = RunFolder.of_environment()
    supervised = control.running(run)
    click.echo(f"{supervised.state} {supervised.url}" if supervised else "not running")
    if told := how_it_went(run):
        click.echo(told)
    for name, pid, is_alive, ports in control.process_table(run):
        click.echo(f"{name:24} {pid:>8} {'alive' if is_alive else 'ended':6} {ports}")


@main.command()
@click.argument("name", default="supervisor")
@click.option("-f", "--follow", is_flag=True, help="Go on as the log grows.")
@one_line_for_trouble
def logs(name: str, *, follow: bool) -> None:
    """The end of one process's log, such as matching.worker.1."""
    run = RunFolder.of_environment()
    path = run.log(name)
    if path.parent != run.logs or not path.exists():
        known = ", ".join(sorted(file.stem for file in run.logs.glob("*.log")))
        raise CannotStart(f"There is no log of {name}; there are {known or 'none'}.")
    options = ["-n", "50", *(["-F"] if follow else [])]
    subprocess.run(["tail", *options, str(path)], check=False)


@main.command()
@click.option("--role", required=True, type=click.Choice([r.value for r in Role if r != "service"]))
@click.option("--as", "account", required=True, metavar="ACCOUNT", help="Whom the token is for.")
@click.option("--org", "orgs", multiple=True, metavar=_IDENTIFIER, help="May be given repeatedly.")
@click.option("--person", metavar=_IDENTIFIER, help="The peer's or client's own id.")
@one_line_for_trouble
def token(role: str, account: str, orgs: tuple[str, ...], person: str | None) -> None:
    """Print a bearer token; a demo account's organisations and person need not be said."""
    system = RunningSystem(RunFolder.of_environment())
    accounts: list[dict[str, Any]] = system.demo().get("accounts", [])
    told = next((one for one in accounts if one["account"] == account), {})
    try:
        click.echo(
            system.token(role, account, orgs or told.get("orgs", ()), person or told.get("person"))
        )
    except FileNotFoundError as error:
        raise CannotStart("There is no issuer's key yet: make up makes it.") from error
    except ValueError as error:
        raise click.UsageError("--org and --person take UUIDs.") from error


@main.group()
def parked() -> None:
    """Events that could not be handled."""


@parked.command("list")
@one_line_for_trouble
def list_parked() -> None:
    """Every parked event, with its reason."""
    found = list(_parked().all())
    for row in found:
        click.echo(
            f"{row['id']:20} {row['type'] or '?':40} {row['aggregate_id'] or '?'} "
            f"#{row['sequence'] or '?'} {row['attempts']} attempts: {row['reason']}"
        )
    click.echo(f"{len(found)} parked")


@parked.command()
@click.argument("parked_id", metavar=_IDENTIFIER)
@one_line_for_trouble
def show(parked_id: str) -> None:
    """One parked event: its headers, and how many wait behind it."""
    found = _for_parked(parked_id, _parked().show)
    click.echo(json.dumps(found, indent=2, default=str))


@parked.command()
@click.argument("parked_ids", metavar="ID…", nargs=-1, required=True)
@one_line_for_trouble
def replay(parked_ids: tuple[str, ...]) -> None:
    """Let parked events be tried again, in the order of their aggregates."""
    for parked_id in parked_ids:
        _for_parked(parked_id, _parked().replay)
        click.echo(f"{parked_id} is tried again")


@parked.command()
@click.argument("parked_id", metavar=_IDENTIFIER)
@one_line_for_trouble
def discard(parked_id: str) -> None:
    """Give a parked event up, so that those behind it go on."""
    _for_parked(parked_id, _parked().discard)
    click.echo(f"{parked_id} is discarded")


def _parked() -> Any:
    from deploy.parked import Parked  # noqa: PLC0415

    return Parked(a_system(), by=getpass.getuser())


def _for_parked(text: str, act: Callable[[Any], Any]) -> Any:
    from deploy.parked import NotParked, ParkedId  # noqa: PLC0415

    try:
        return act(ParkedId.parse(text))
    except NotParked as error:
        raise CannotStart(str(error)) from error


@main.group()
def matching() -> None:
    """Proposals for all who wait together, and their proof."""


@matching.command("propose")
@one_line_for_trouble
def matching_propose() -> None:
    """Propose a peer to everybody who waits, all at once; nobody is told and no place is held.

    Coordinators find it under /matching/proposals and make the offers.
    """
    from deploy.proposing import propose  # noqa: PLC0415

    made = propose(a_system(), tell=click.echo)
    certificate = made.certificate
    click.echo(f"{certificate.served} of {made.people} people would have somebody.")
    click.echo(
        f"Worth {certificate.value}; no proposal can be worth more than {certificate.bound}."
    )
    if not made.is_best:
        click.echo("Without OR-tools nothing proves that it is the best.")
    click.echo(f"Check it by: kindred matching verify {made.id}")


@matching.command("policy")
@one_line_for_trouble
def matching_policy() -> None:
    """The policy that counts, as JSON, such as `kindred matching try` and `sign` read."""
    from deploy.proposing import active_policy  # noqa: PLC0415

    click.echo(active_policy(a_system()))


@matching.command("sign")
@click.argument("policy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The private key (JWK); without one, that of the system on this machine.",
)
@one_line_for_trouble
def matching_sign(policy: Path, key: Path | None) -> None:
    """Print a policy (JSON) as a signed pack, which `kindred matching activate` takes.

    Exit status 2: the file is no policy, and every mistake in it is told.
    """
    from deploy.proposing import WrongPolicy, sign_policy, signing_key  # noqa: PLC0415

    try:
        click.echo(sign_policy(policy, key or signing_key(a_system())))
    except WrongPolicy as wrong:
        _tell_mistakes(wrong.problems)


@matching.command("activate")
@click.argument("pack", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@one_line_for_trouble
def matching_activate(pack: Path) -> None:
    """Put a signed policy to use; whoever waits is ranked by it, twenty a second.

    Exit status 2: the pack is not one, is signed by nobody who counts, or is not newer.
    """
    from deploy.proposing import NotNewer, WrongPolicy, activate_policy  # noqa: PLC0415

    try:
        policy = activate_policy(a_system(), pack)
    except WrongPolicy as wrong:
        _tell_mistakes(wrong.problems)
    except NotNewer as older:
        _tell_mistakes([f"version: {older}"])
    else:
        click.echo(f"Policy {policy.version} counts from now on.")


def _tell_mistakes(problems: Iterable[str]) -> NoReturn:
    for problem in problems:
        click.echo(problem, err=True)
    sys.exit(2)


@matching.command("try")
@click.argument("policy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@one_line_for_trouble
def matching_try(policy: Path) -> None:
    """Compare a policy (JSON, or a pack) with what counts, on the queue as it is; without effect.

    Exit status 2: the file is no policy, and every mistake in it is told.
    """
    from deploy.proposing import WrongPolicy, differing, try_policy  # noqa: PLC0415

    try:
        active, tried = try_policy(a_system(), policy)
    except WrongPolicy as wrong:
        _tell_mistakes(wrong.problems)
    click.echo(f"{active.people} people wait. Of them would be served:")
    for name, now, then in (
        ("people", f"{active.served}", f"{tried.served}"),
        ("of the urgent", f"{active.urgent_served:.1%}", f"{tried.urgent_served:.1%}"),
        (
            "of those with few options",
            f"{active.few_options_served:.1%}",
            f"{tried.few_options_served:.1%}",
        ),
        ("of the others", f"{active.others_served:.1%}", f"{tried.others_served:.1%}"),
        ("points on average", f"{active.mean_points:.0f}", f"{tried.mean_points:.0f}"),
        ("after days", f"{active.mean_days_waited:.1f}", f"{tried.mean_days_waited:.1f}"),
    ):
        click.echo(f"  {name:<26} {now:>8} now, {then:>8} by this policy")
    click.echo(f"{differing(active, tried)} people would be proposed somebody else.")


@matching.command("verify")
@click.argument("run", type=click.UUID)
@one_line_for_trouble
def matching_verify(run: UUID) -> None:
    """Add a proposal up from what it was made from, without the solver that made it.

    Exit status 0: it holds as it is told. 1: it does not, or cannot be checked any more.
    """
    from deploy.proposing import NotThere, verify  # noqa: PLC0415

    try:
        certificate, problems = verify(a_system(), run)
    except NotThere as reason:
        raise CannotStart(str(reason)) from reason
    click.echo(f"worth {certificate.value}, bound {certificate.bound}, gap {certificate.gap}")
    for problem in problems:
        click.echo(problem, err=True)
    click.echo("It holds." if not problems else "It does not hold.")
    if not problems and certificate.gap:
        click.echo("Nothing proves that it is the best.")
    sys.exit(1 if problems else 0)


def _kinds_help() -> str:
    from deploy.importing.run import KINDS  # noqa: PLC0415

    told = [f"{name}: {kind.meaning}\n{','.join(kind.columns)}" for name, kind in KINDS.items()]
    return "\b\nKinds and their headers:\n" + "\n".join(told)


@main.command("import", epilog=_kinds_help())
@click.option("--kind", help="What the rows are; without it, the header tells.")
@click.option("--dry-run", is_flag=True, help="Read and check only.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@one_line_for_trouble
def import_file(kind: str | None, file: Path, *, dry_run: bool) -> None:
    """Bring the rows of a CSV file in through the API; a second import changes nothing.

    Exit status: 0 all rows, 1 none, 2 the file or the command is wrong, 3 some.
    """
    from deploy.importing.run import KINDS, run  # noqa: PLC0415
    from deploy.importing.table import WrongFile  # noqa: PLC0415
    from deploy.region.api import Api  # noqa: PLC0415

    if kind is not None and kind not in KINDS:
        raise click.UsageError(f"--kind is one of {', '.join(KINDS)}.")
    try:
        report = run(file, kind, Api(a_system()), dry=dry_run, show=_show_progress)
    except WrongFile as error:
        raise click.UsageError(str(error)) from error
    for line, reason in sorted(report.wrong.items()):
        click.echo(f"line {line}: {reason}", err=True)
    click.echo(report.summary())
    sys.exit(report.exit_code)


def _show_progress(done: int, of: int) -> None:
    """A bar on a terminal; elsewhere a line for every thousand rows."""
    if sys.stderr.isatty():
        filled = 40 * done // of
        bar = f"[{'#' * filled}{'.' * (40 - filled)}] {done} of {of}"
        click.echo(f"\r{bar}", nl=done == of, err=True)
    elif done % 1000 == 0:
        click.echo(f"{done} of {of} rows")


@main.command()
@one_line_for_trouble
def topology() -> None:
    """Declare on the broker what is missing there; the supervisor does so every ten seconds."""
    from deploy.topology import apply  # noqa: PLC0415

    apply(a_system().broker_urls())
    click.echo("Exchanges, queues and bindings are there.")


@main.command()
@one_line_for_trouble
def promote() -> None:
    """End the primary database server for good, and have the standby take the writes."""
    click.echo(control.ask_about_databases(RunFolder.of_environment(), PROMOTE))


@main.command("rebuild-standby")
@one_line_for_trouble
def rebuild_standby() -> None:
    """Make the database server that takes no writes a copy of the one that does, which it follows.

    What it held is removed.
    """
    click.echo(control.ask_about_databases(RunFolder.of_environment(), REBUILD))


@main.command()
@one_line_for_trouble
def targets() -> None:
    """Where Prometheus finds the running processes; deploy/prometheus reads it as targets.json."""
    from deploy.targets import targets as found  # noqa: PLC0415

    click.echo(json.dumps(found(a_system().run), indent=1))


@main.command()
@one_line_for_trouble
def docs() -> None:
    """Write docs/events.md and the AsyncAPI document from what the services declare."""
    subprocess.run([sys.executable, "-m", "deploy.docs"], check=True)


for _command in (backup, restore, reconcile):
    main.add_command(_command)


if __name__ == "__main__":
    main()
