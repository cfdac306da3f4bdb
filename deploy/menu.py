"""deploy/menu.json: the entries of the pages' menu, as the services' pages declare them.

`python -m deploy.menu` writes it, `--check` says whether it is fresh.
"""

import argparse
import json
import sys
from pathlib import Path

from deploy.generated import write_or_check
from deploy.topology import declared_services
from services.chassis.menu import told

FILE = Path(__file__).with_name("menu.json")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.menu", description=__doc__)
    parser.add_argument("--check", action="store_true", help="say whether the file is fresh")
    options = parser.parse_args(arguments)
    text = json.dumps(told(declared_services()), indent=2, ensure_ascii=False) + "\n"
    return write_or_check(FILE, text, check=options.check, command="python -m deploy.menu")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
