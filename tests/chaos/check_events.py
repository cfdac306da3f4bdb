"""Whether every event reached each of its consumers once, and none came from nowhere."""

from collections import defaultdict
from uuid import UUID

from tests.chaos.evidence import Facts, Queue, Row
from tests.chaos.verdict import APPLIED_TWICE, LOST, UNEXPECTED, UNEXPLAINED, Verdict

KEPT = ("waiting", "parked")


def check_numbers(facts: Facts, verdict: Verdict) -> None:
    """Each aggregate's events are numbered 1, 2, 3 … and the last number given is the last.

    Versions of one event have its id and its number.
    """
    for producer, events in facts.events.items():
        numbers: dict[tuple[str, UUID], list[int]] = defaultdict(list)
        named = ("aggregate", "aggregate_id", "event_id", "sequence")
        for aggregate, aggregate_id, _, sequence in {
            tuple(event[name] for name in named) for event in events
        }:
            numbers[aggregate, aggregate_id].append(sequence)
        streams = facts.streams[producer]
        for stream in numbers.keys() | streams.keys():
            told = f"{producer} {stream[0]} {stream[1]}"
            given, last = numbers[stream], streams.get(stream, 0)
            if len(given) != len(set(given)):
                verdict.find(APPLIED_TWICE, "I2", f"{told}: a number was given twice")
            if missing := set(range(1, last + 1)) - set(given):
                verdict.find(LOST, "I1", f"{told}: numbers {sorted(missing)} are nowhere")
            if set(given) - set(range(1, last + 1)):
                verdict.find(UNEXPECTED, "I3", f"{told}: numbers beyond {last}")


def check_queue(facts: Facts, queue: Queue, verdict: Verdict) -> None:
    events = facts.of_queue(queue)
    seen, positions = facts.inbox[queue.name], facts.positions.get(queue.name, {})
    kept = {row["event_id"]: row for row in facts.deferred.get(queue.name, ())}
    for event in events:
        told = f"{queue.name}: {event['type']} {event['aggregate_id']} #{event['sequence']}"
        if not event["sent"]:
            verdict.find(LOST, "I8", f"{told} was never published")
        elif event["event_id"] not in seen and event["event_id"] not in kept:
            verdict.find(LOST, "I1", f"{told} never came")
        elif not _is_settled(event, positions, kept):
            verdict.find(LOST, "I1", f"{told} came and was neither handled nor kept")
    ours = {event["event_id"] for event in events}
    for stranger in seen - ours - facts.injected.events:
        verdict.find(UNEXPECTED, "I3", f"{queue.name}: {stranger} came and was never sent")
    last = {event["aggregate_id"]: event["sequence"] for event in events}
    for aggregate_id, (_, sequence) in positions.items():
        if sequence > last.get(aggregate_id, 0) and aggregate_id not in facts.injected.aggregates:
            verdict.find(
                UNEXPECTED, "I3", f"{queue.name}: {aggregate_id} stands at {sequence}, never sent"
            )
    verdict.handled += len(seen) - sum(row["state"] in KEPT for row in kept.values())


def _is_settled(event: Row, positions: dict[UUID, tuple[int, int]], kept: dict[UUID, Row]) -> bool:
    if event["event_id"] in kept:
        return True
    return positions.get(event["aggregate_id"], (0, 0)) >= (event["epoch"], event["sequence"])


def check_set_aside(facts: Facts, queue: Queue, verdict: Verdict) -> None:
    """Nothing waits any more unless behind what was injected, and nothing else is parked."""
    rows = [row for row in facts.deferred.get(queue.name, ()) if row["state"] in KEPT]
    for row in rows:
        told = f"{queue.name}: {row['type']} {row['aggregate_id']} #{row['sequence']}"
        is_explained = facts.injected.explains(row)
        if row["state"] == "parked":
            verdict.parked += 1
            if not is_explained:
                verdict.find(UNEXPLAINED, "I6", f"{told} is parked: {row['reason']}")
        elif not is_explained:
            verdict.find(LOST, "I8", f"{told} still waits: {row['reason']}")
