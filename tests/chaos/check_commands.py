"""Whether every accepted command has its event, and every event of a command was asked for."""

from collections import Counter, defaultdict

from tests.chaos.evidence import Command, Facts
from tests.chaos.verdict import APPLIED_TWICE, LOST, UNEXPECTED, Verdict

# The event that an accepted command leaves, and whether nothing but a command brings it about.
EVENTS = {
    "referral.accept": ("referral.accepted.v1", True),
    "referral.decline": ("referral.declined.v1", True),
    "referral.request-information": ("referral.information_requested.v1", True),
    "referral.provide-information": ("referral.information_provided.v1", True),
    "referral.correct": ("referral.corrected.v1", True),
    "referral.withdraw": ("referral.withdrawn.v1", False),
    "match.offer": ("match.offered.v1", True),
    "match.choose": ("match.chosen.v1", True),
    "match.accept": ("match.confirmed.v1", True),
    "match.decline": ("match.declined.v1", True),
    "match.end": ("match.ended.v1", False),
    "session.book": ("session.booked.v1", True),
    "session.reschedule": ("session.rescheduled.v1", True),
    "session.cancel": ("session.cancelled.v1", False),
    "session.outcome": ("session.outcome_recorded.v1", False),
    "peer.change": ("peer.updated.v1", True),
}


def check_commands(facts: Facts, commands: list[Command], verdict: Verdict) -> None:
    happened = Counter(
        (event["type"], str(event["aggregate_id"]))
        for events in facts.events.values()
        for event in events
    )
    asked: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for command in commands:
        if command.command in EVENTS and command.subject:
            asked[EVENTS[command.command][0], command.subject][command.answer] += 1
    for (type_, subject), answers in asked.items():
        told = happened[type_, subject]
        if told < answers["accepted"]:
            text = f"{type_} of {subject}: {answers['accepted']} accepted, {told} told"
            verdict.find(LOST, "I1", text)
    only_asked = {type_ for type_, is_only in EVENTS.values() if is_only}
    unknown_bookings = _unknown_bookings(commands)
    for (type_, subject), count in happened.items():
        answers = asked.get((type_, subject), Counter())
        allowed = answers["accepted"] + answers["unknown"]
        if type_ == "session.booked.v1":
            allowed += unknown_bookings
        if type_ in only_asked and count > allowed:
            text = f"{type_} of {subject}: {count} told, {allowed} asked for"
            verdict.find(*(APPLIED_TWICE, "I2") if allowed else (UNEXPECTED, "I3"), text)
    check_submissions(facts, commands, verdict)
    check_bookings(facts, commands, verdict)


def _unknown_bookings(commands: list[Command]) -> int:
    return sum(one.command == "session.book" and one.answer == "unknown" for one in commands)


def check_submissions(facts: Facts, commands: list[Command], verdict: Verdict) -> None:
    """One referral for each submission, known by the record number that it carried."""
    found = Counter(
        row["client"].get("record_number") for row in facts.tables["referrals.referrals"]
    )
    submitted = {
        str(event["aggregate_id"])
        for event in facts.events["referrals"]
        if event["type"] == "referral.submitted.v1"
    }
    marks = set()
    for command in commands:
        if command.command != "referral.submit":
            continue
        mark = command.facts["mark"]
        marks.add(mark)
        if command.answer == "accepted" and (not found[mark] or command.subject not in submitted):
            verdict.find(LOST, "I1", f"referral {command.subject} was accepted and is not there")
        if command.answer == "refused" and found[mark]:
            verdict.find(UNEXPECTED, "I3", f"a referral was refused and is there: {mark}")
        if found[mark] > 1:
            verdict.find(APPLIED_TWICE, "I2", f"{found[mark]} referrals for one submission: {mark}")
    for mark in found.keys() - marks:
        verdict.find(UNEXPECTED, "I3", f"nobody submitted the referral {mark}")


def check_bookings(facts: Facts, commands: list[Command], verdict: Verdict) -> None:
    """A match has as many sessions as were booked on it; one whose answer got lost may be there."""
    found = Counter(str(row["match_id"]) for row in facts.tables["scheduling.sessions"])
    booked: dict[str, Counter[str]] = defaultdict(Counter)
    for command in commands:
        if command.command == "session.book":
            booked[command.facts["match_id"]][command.answer] += 1
    for match_id in found.keys() | booked.keys():
        sure, perhaps = booked[match_id]["accepted"], booked[match_id]["unknown"]
        if found[match_id] < sure:
            text = f"match {match_id}: {sure} sessions booked, {found[match_id]} there"
            verdict.find(LOST, "I1", text)
        if found[match_id] > sure + perhaps:
            text = f"match {match_id}: {found[match_id]} sessions for {sure + perhaps} bookings"
            verdict.find(*(APPLIED_TWICE, "I2") if sure else (UNEXPECTED, "I3"), text)
