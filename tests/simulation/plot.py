"""A plot of waits as an SVG that reads in light and dark, with its numbers in words."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 320, 60, 46, 44, 150
MOST_DAYS: Final = 120
COLOURS: Final = ("#8a3b12", "#5b5f97", "#1d5c53")
DASHES: Final = ("2 4", "8 4", "")


def plot(path: Path, waits: Mapping[str, Sequence[int]], title: str) -> None:
    """For each name, which share of people had waited no longer than so many days."""
    drawn = [_axes(title)]
    for number, (name, days) in enumerate(waits.items()):
        drawn.append(_curve(name, days, COLOURS[number], DASHES[number], number))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="13">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def _x(days: float) -> float:
    return LEFT + days / MOST_DAYS * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def _curve(name: str, waits: Sequence[int], colour: str, dash: str, number: int) -> str:
    points = []
    for day in range(MOST_DAYS + 1):
        share = sum(one <= day for one in waits) / len(waits)
        points.append(f"{_x(day):.1f},{_y(share):.1f}")
    y = TOP + 20 * number + 30
    x = WIDTH - RIGHT + 14
    return (
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2.5" '
        f'stroke-dasharray="{dash}"/>'
        f'<line x1="{x}" y1="{y}" x2="{x + 28}" y2="{y}" stroke="{colour}" stroke-width="2.5" '
        f'stroke-dasharray="{dash}"/><text x="{x + 36}" y="{y + 4}">{escape(name)}</text>'
    )


def _axes(title: str) -> str:
    drawn = [f'<text x="{LEFT}" y="22" font-weight="bold">{escape(title)}</text>']
    for share in (0, 25, 50, 75, 100):
        y = _y(share / 100)
        drawn.append(
            f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#d0d0d0"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share} %</text>'
        )
    below = HEIGHT - BOTTOM + 20
    drawn += [
        f'<text x="{_x(day):.1f}" y="{below}" text-anchor="middle">{day}</text>'
        for day in range(0, MOST_DAYS + 1, 30)
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    drawn.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">days waited</text>')
    return "\n".join(drawn)
