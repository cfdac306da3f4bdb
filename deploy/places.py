"""Writes services/chassis/places.dat from the package zipcodes; `--check` only compares."""

import sys

import zipcodes

from services.chassis.places import DATA, ROW


def packed() -> bytes:
    """Every code once, sorted, so that a bisection finds it."""
    points = {
        int(place["zip_code"]): (float(place["lat"]), float(place["long"]))
        for place in zipcodes.list_all()
    }
    return b"".join(ROW.pack(code, *points[code]) for code in sorted(points))


def main(arguments: list[str]) -> int:
    fresh = packed()
    if arguments != ["--check"]:
        DATA.write_bytes(fresh)
        return 0
    if DATA.read_bytes() == fresh:
        return 0
    print("services/chassis/places.dat is stale: run python -m deploy.places", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
