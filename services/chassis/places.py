"""Where a United States postal code lies, and how far two such points are apart."""

import mmap
import struct
from bisect import bisect_left
from functools import cache, lru_cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Final

Point = tuple[float, float]

DATA: Final = Path(__file__).with_suffix(".dat")  # made by deploy/places.py
ROW: Final = struct.Struct("<Iff")  # code, latitude, longitude, in the order of the codes
EARTH_KILOMETRES: Final = 6371.0088


@lru_cache(maxsize=4096)
def locate(postal_code: str) -> Point | None:
    """Find the point of a five-digit code; of ZIP+4, the first five digits count."""
    code = _five_digits(postal_code)
    if code is None:
        return None
    rows = _rows()
    count = len(rows) // ROW.size
    index = bisect_left(range(count), code, key=lambda row: _row(rows, row)[0])
    if index == count:
        return None
    found, latitude, longitude = _row(rows, index)
    return (latitude, longitude) if found == code else None


def kilometres(a: Point, b: Point) -> float:
    """Great-circle distance; symmetric to the last bit, so that ranking is too."""
    (lat_a, lon_a), (lat_b, lon_b) = sorted((a, b))
    lift = sin(radians(lat_b - lat_a) / 2) ** 2
    turn = sin(radians(lon_b - lon_a) / 2) ** 2
    chord = lift + cos(radians(lat_a)) * cos(radians(lat_b)) * turn
    return 2 * EARTH_KILOMETRES * asin(min(1.0, sqrt(chord)))


def _five_digits(postal_code: str) -> int | None:
    code, dash, extension = postal_code.strip().partition("-")
    digits = code + extension if dash else code
    if not (digits.isascii() and digits.isdigit()):
        return None
    if len(code) != 5 or (dash and len(extension) != 4):
        return None
    return int(code)


def _row(rows: mmap.mmap, index: int) -> tuple[int, float, float]:
    code, latitude, longitude = ROW.unpack_from(rows, index * ROW.size)
    return code, latitude, longitude


@cache
def _rows() -> mmap.mmap:
    """Map the file: its pages are shared by every process and never copied into this one."""
    with DATA.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
