"""`make verify`: every generated file is fresh, and hand-written ones are valid."""

import subprocess
import sys

from deploy.machine.run_folder import REPOSITORY

_GENERATORS = (
    "deploy.topology",
    "deploy.menu",
    "deploy.docs",
    "deploy.schemas",
    "deploy.places",
    "tests.contracts.generate",
)
_COMPOSE = ("check_jsonschema", "--builtin-schema", "vendor.compose-spec", "deploy/compose.yaml")


def main(arguments: list[str]) -> int:
    """Check everything; with `--write`, write the generated files instead."""
    if arguments == ["--write"]:
        return max(_run(module) for module in _GENERATORS)
    stale = [module for module in _GENERATORS if _run(module, "--check")]
    for module in stale:
        print(f"{module}: stale; make generate writes it", file=sys.stderr)
    wrong = _run(*_COMPOSE, "-q") or _locked_with_addresses()
    return 1 if stale or wrong else 0


def _run(module: str, *arguments: str) -> int:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=REPOSITORY, check=False).returncode


def _locked_with_addresses() -> int:
    """A lock that names where packages come from works for one machine only."""
    found = [
        path.name
        for path in (REPOSITORY / "requirements").glob("*.txt")
        if "://" in path.read_text()
    ]
    for name in found:
        print(f"requirements/{name} holds an address", file=sys.stderr)
    return len(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
