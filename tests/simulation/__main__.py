"""`make simulate`: writes docs/fairness.md and its pictures from a simulated year."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from deploy.machine.run_folder import REPOSITORY
from tests.simulation.plot import plot
from tests.simulation.year import (
    DAYS,
    MEAN_DAYS_TOGETHER,
    PEERS,
    POLICY,
    WARM_UP,
    WAYS,
    Outcome,
    simulate,
)

FOLDER = REPOSITORY / "docs"
LOADS = {0.9: "enough places", 1.2: "too few places"}
WITHOUT = "proposal, nothing added"
_HEAD = (
    "",
    "served",
    "mean wait",
    "nine of ten within",
    "longest",
    "urgent: mean wait",
    "mean points",
    "nine of ten above",
    "few options: served",
    "others: served",
    "wait told",
    "wait kept",
)


def main() -> int:
    found: dict[float, dict[str, Outcome]] = {}
    for load, called in LOADS.items():
        found[load] = {way.name: simulate(load, way) for way in WAYS}
        nothing_added = replace(POLICY, few_options=0)
        found[load][WITHOUT] = simulate(load, WAYS[-1], policy=nothing_added)
        waits = {name: one.waits for name, one in found[load].items() if name != WITHOUT}
        plot(FOLDER / picture(load), waits, f"{called}: share of people who waited no longer")
    (FOLDER / "fairness.md").write_text(report(found))
    return 0


def picture(load: float) -> str:
    return f"fairness-{round(100 * load)}.svg"


def report(found: Mapping[float, Mapping[str, Outcome]]) -> str:
    lines = [
        "# Who waits how long",
        "",
        "Written by `make simulate`; no person in it exists.",
        "",
        f"A region of {PEERS} peers for {DAYS} days, after {WARM_UP} days in which it fills.",
        (
            "The same people come on the same days to each way of giving out places; "
            f"two who were matched stay together for {MEAN_DAYS_TOGETHER:.0f} days on average."
        ),
        (
            "Nobody says no. Waits are in days; whoever still waits at the end counts as having "
            "waited until then."
        ),
        "",
        "- *first come*: every day the longest waiting first, each the best peer who has a place.",
        "- *greedy*: every day the pair that is worth most first.",
        "- *proposal*: every day what `kindred matching propose` proposes.",
        f"- *{WITHOUT}*: the same with nothing added for people with few options.",
        "",
        (
            "People with few options are those whom at most "
            f"{POLICY.few_options_percent} of 100 peers would suit, full or not."
        ),
        "",
    ]
    for load, outcomes in found.items():
        came = next(iter(outcomes.values())).came
        lines += [
            f"## {LOADS[load].capitalize()}",
            "",
            f"{came} people came, who would need {load:g} times the places that there are.",
            "",
            *_table(outcomes),
            "",
            f"![Share of people by days waited]({picture(load)})",
            "",
        ]
    return "\n".join([*lines, *_read_off(found), ""])


def _table(outcomes: Mapping[str, Outcome]) -> list[str]:
    rows = [
        (
            name,
            f"{one.served} ({one.served / one.came:.1%})",
            f"{one.mean_wait:.1f}",
            f"{one.long_wait:.0f}",
            f"{one.longest_wait}",
            f"{one.urgent_wait:.1f}",
            f"{one.mean_points:.0f}",
            f"{one.low_points:.0f}",
            f"{one.served_few:.1%}",
            f"{one.served_others:.1%}",
            f"{one.told:.0%}",
            f"{one.kept:.0%}",
        )
        for name, one in outcomes.items()
    ]
    return [_line(_HEAD), _line(["---"] * len(_HEAD)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _read_off(found: Mapping[float, Mapping[str, Outcome]]) -> list[str]:
    scarce = found[max(LOADS)]
    first, ours, without = scarce["first come"], scarce["proposal"], scarce[WITHOUT]
    better = 100 * (ours.mean_points / first.mean_points - 1)
    return [
        "## What is read off",
        "",
        (
            f"Where places are few, the proposal serves {ours.served - first.served:+d} people to "
            f"first come's, with {better:+.0f} % points, and "
            f"urgent people wait {ours.urgent_wait:.1f} days in place of {first.urgent_wait:.1f}."
        ),
        (
            "People with few options are to be served as others are, to within 3 in 100: "
            f"{ours.served_few:.1%} of them are, and {ours.served_others:.1%} of the others; with "
            f"nothing added for them it would be {without.served_few:.1%} and "
            f"{without.served_others:.1%}."
        ),
        (
            f"What is added costs {without.served - ours.served} people of {ours.came} a peer, and "
            f"{100 * (1 - ours.mean_points / without.mean_points):.1f} % of points."
        ),
        (
            "Who comes is told by when a quarter and three quarters of people have somebody. It is "
            "right where half of the waits then lie between: under *proposal* "
            f"{found[min(LOADS)]['proposal'].kept:.0%} do where places are enough, and "
            f"{ours.kept:.0%} where they are few and the queue grows; to "
            f"{1 - ours.told:.0%} nothing could be told yet."
        ),
        (
            f"The price of serving the urgent and the long waiting first is a longer tail for the "
            f"others: nine of ten within {ours.long_wait:.0f} days, against {first.long_wait:.0f}."
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
