"""Whether every handled event had its effect, once and in order, and no effect has no event.

Looked at where effects are kept apart from the machinery that must not repeat them: the clinic's
timeline, messages and mails, sessions and claims, matches and places.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from uuid import UUID

from tests.chaos.evidence import Facts, Row
from tests.chaos.verdict import (
    APPLIED_TWICE,
    DOUBLE_BOOKED,
    LOST,
    OUT_OF_ORDER,
    UNEXPECTED,
    Verdict,
)

# The step that an event leaves on the clinic's timeline, and where the step names its aggregate.
STEPS = {
    "match.shortlisted.v1": ("shortlisted", "match_id"),
    "match.no_peer_found.v1": ("no-peer-found", "match_id"),
    "match.offered.v1": ("offered", "match_id"),
    "match.chosen.v1": ("chosen", "match_id"),
    "match.confirmed.v1": ("confirmed", "match_id"),
    "match.declined.v1": ("next-offer", "match_id"),
    "match.offer_expired.v1": ("offer-expired", "match_id"),
    "match.activated.v1": ("active", "match_id"),
    "match.ended.v1": ("match-ended", "match_id"),
    "session.booked.v1": ("session-booked", "session_id"),
    "session.rescheduled.v1": ("session-rescheduled", "session_id"),
    "session.cancelled.v1": ("session-cancelled", "session_id"),
    "session.outcome_recorded.v1": ("session-outcome", "session_id"),
    "notification.delivered.v1": ("message-delivered", "message_id"),
    "notification.withheld.v1": ("message-withheld", "message_id"),
    "notification.undeliverable.v1": ("message-undeliverable", "message_id"),
    "notification.needs_staff.v1": ("staff-asked-to-tell", "message_id"),
}
_EVERYBODY = {"client", "peer", "clinic"}
# The message that an event always has planned, and for whom.
MESSAGES = {
    "referral.accepted.v1": ("referral-accepted", {"clinic"}),
    "referral.declined.v1": ("referral-declined", {"clinic"}),
    "referral.withdrawn.v1": ("referral-withdrawn", {"clinic"}),
    "referral.information_requested.v1": ("referral-information-requested", {"clinic"}),
    "match.offered.v1": ("match-offered", {"client"}),
    "match.chosen.v1": ("match-chosen", {"peer"}),
    "match.confirmed.v1": ("match-confirmed", _EVERYBODY),
    "session.booked.v1": ("session-booked", _EVERYBODY),
    "session.rescheduled.v1": ("session-rescheduled", _EVERYBODY),
    "session.cancelled.v1": ("session-cancelled", _EVERYBODY),
}
_HOLD_A_PLACE = {"offered", "chosen", "confirmed", "active"}


def handled(facts: Facts, queue_name: str) -> Iterable[Row]:
    """The events whose effects must be there: seen, and neither kept aside nor passed over."""
    apart = {row["event_id"] for row in facts.deferred.get(queue_name, ())}
    seen = facts.inbox[queue_name]
    for event in facts.of_queue(facts.queue(queue_name)):
        if event["event_id"] in seen and event["event_id"] not in apart:
            yield event


def check_timeline(facts: Facts, verdict: Verdict) -> None:
    fields = dict(STEPS.values())
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for step in facts.tables["referrals.steps"]:
        if step["step"] in fields:
            found[step["step"], step["details"][fields[step["step"]]]].append(step)
    for queue in ("referrals.match", "referrals.session", "referrals.notification"):
        _compare_with_timeline(facts, queue, found, verdict)
    for (name, aggregate_id), rows in found.items():
        if UUID(aggregate_id) not in facts.injected.aggregates:
            text = f"timeline: {len(rows)} {name} of {aggregate_id} without an event"
            verdict.find(UNEXPECTED, "I3", text)


def _compare_with_timeline(
    facts: Facts, queue: str, found: dict[tuple[str, str], list[Row]], verdict: Verdict
) -> None:
    """Take out of `found` what the queue's events explain; what stays has no event."""
    expected: dict[tuple[str, str], int] = Counter()
    order: dict[UUID, list[int]] = defaultdict(list)
    for event in handled(facts, queue):
        if event["type"] not in STEPS or event["data"].get("referral_id") is None:
            continue
        step = STEPS[event["type"]][0], str(event["aggregate_id"])
        expected[step] += 1
        rows = [row for row in found.get(step, ()) if row["at"] == event["occurred_at"]]
        if not rows:
            verdict.find(LOST, "I1", f"timeline: {step[0]} of {step[1]} is missing")
        else:
            order[event["aggregate_id"]].append(rows[0]["id"])
    for step, count in expected.items():
        told = f"timeline: {step[0]} of {step[1]}"
        if len(found.pop(step, ())) > count:
            verdict.find(APPLIED_TWICE, "I2", f"{told} stands there more than {count} times")
    for aggregate_id, ids in order.items():
        if any(later < earlier for earlier, later in pairwise(ids)):
            verdict.find(OUT_OF_ORDER, "I4", f"timeline: {queue} {aggregate_id} is out of order")


def check_messages(facts: Facts, verdict: Verdict) -> None:
    messages = facts.tables["notifications.messages"]
    planned = Counter((row["cause_id"], row["kind"], row["recipient_role"]) for row in messages)
    causes = set()
    for queue in ("notifications.referral", "notifications.match", "notifications.session"):
        for event in handled(facts, queue):
            causes.add(event["event_id"])
            kind, roles = MESSAGES.get(event["type"], ("", set()))
            for role in roles:
                if not planned[event["event_id"], kind, role]:
                    text = f"messages: no {kind} to the {role} for {event['aggregate_id']}"
                    verdict.find(LOST, "I1", text)
    for (cause, kind, role), count in planned.items():
        if count > 1:
            verdict.find(APPLIED_TWICE, "I2", f"messages: {count} {kind} to the {role} for {cause}")
        if cause not in causes | facts.injected.events:
            verdict.find(UNEXPECTED, "I3", f"messages: {kind} to the {role}, cause {cause} unknown")


def check_mails(facts: Facts, verdict: Verdict) -> None:
    """A mail may come again under its Message-ID, but never more often than it was tried."""
    messages = {str(row["id"]): row for row in facts.tables["notifications.messages"]}
    for identity, mails in facts.mails.items():
        message = messages.pop(identity, None)
        if message is None:
            verdict.find(UNEXPECTED, "I3", f"mail {mails[0][0]} is of no message")
            continue
        if len(mails) > message["attempts"]:
            text = f"mail of {identity}: {len(mails)} times by {message['attempts']} attempts"
            verdict.find(APPLIED_TWICE, "I2", text)
        if len({recipient for _, recipient in mails}) > 1:
            verdict.find(UNEXPECTED, "I3", f"mail of {identity} went to several people")
    for identity, message in messages.items():
        if message["state"] == "delivered" and message["channel"] == "email":
            verdict.find(LOST, "I1", f"message {identity} is delivered and no mail is there")


def check_sessions(facts: Facts, verdict: Verdict) -> None:
    """Each session is what its events say, and holds its time while it is not cancelled."""
    told: dict[UUID, Counter[str]] = defaultdict(Counter)
    for event in facts.events["scheduling"]:
        told[event["aggregate_id"]][event["type"].split(".")[1]] += 1
    claims = Counter(row["session_id"] for row in facts.tables["scheduling.claims"])
    sessions = {row["id"]: row for row in facts.tables["scheduling.sessions"]}
    for session_id in told.keys() - sessions.keys():
        verdict.find(LOST, "I1", f"session {session_id} has events and is not there")
    for session_id, session in sessions.items():
        events = told[session_id]
        is_cancelled = session["state"] == "cancelled"
        if not events["booked"]:
            verdict.find(UNEXPECTED, "I3", f"session {session_id} was never told of")
        if events["booked"] > 1 or events["cancelled"] > 1:
            verdict.find(APPLIED_TWICE, "I2", f"session {session_id}: {dict(events)}")
        if session["revision"] != events["rescheduled"] + events["cancelled"]:
            verdict.find(UNEXPECTED, "I3", f"session {session_id} is not as its events say")
        if is_cancelled == bool(claims[session_id]):
            verdict.find(UNEXPECTED, "I3", f"session {session_id} and its claims do not agree")


def check_double_bookings(facts: Facts, verdict: Verdict) -> None:
    """By the sessions' own times, and by the claims: whoever or whatever it is, once at a time."""
    spans: dict[tuple[str, UUID], list[tuple[object, object, UUID]]] = defaultdict(list)
    for row in facts.tables["scheduling.sessions"]:
        if row["state"] == "booked":
            for kind in ("peer_id", "client_id", "room_id"):
                if row[kind] is not None:
                    span = (row["starts_at"], row["ends_at"], row["id"])
                    spans["session", row[kind]].append(span)
    for row in facts.tables["scheduling.claims"]:
        span = (row["during"].lower, row["during"].upper, row["session_id"])
        spans["claim", row["resource_id"]].append(span)
    for (kind, resource), taken in spans.items():
        for before, after in pairwise(sorted(taken, key=lambda span: str(span[0]))):
            if after[0] < before[1]:  # type: ignore[operator]
                text = f"{resource}: {kind}s of {before[2]} and {after[2]} overlap"
                verdict.find(DOUBLE_BOOKED, "I5", text)


def check_matches(facts: Facts, verdict: Verdict) -> None:
    """A match has ended where its events say so, with whoever follows; places fit what is held."""
    last = {event["aggregate_id"]: event["type"] for event in facts.events["matching"]}
    for row in facts.tables["matching.matches"]:
        if (row["state"] == "ended") != (last.get(row["id"]) == "match.ended.v1"):
            text = f"match {row['id']} is {row['state']} after {last.get(row['id'])}"
            verdict.find(UNEXPECTED, "I3", text)
    elsewhere = {row["id"]: row["state"] for row in facts.tables["scheduling.matches"]}
    for event in handled(facts, "scheduling.match"):
        state = elsewhere.get(event["aggregate_id"])
        wanted = {"match.confirmed.v1": {"confirmed", "ended"}, "match.ended.v1": {"ended"}}
        if event["type"] in wanted and state not in wanted[event["type"]]:
            text = f"scheduling has match {event['aggregate_id']} as {state} after {event['type']}"
            verdict.find(LOST, "I1", text)
    held = Counter(
        row["peer_id"] for row in facts.tables["matching.matches"] if row["state"] in _HOLD_A_PLACE
    )
    for peer in facts.tables["matching.peers"]:
        taken, count = peer["places_taken"], held[peer["id"]]
        if count != taken:
            verdict.find(UNEXPECTED, "I3", f"peer {peer['id']}: {taken} places taken, {count} held")
        if count > peer["places_limit"]:
            verdict.find(DOUBLE_BOOKED, "I5", f"peer {peer['id']} has more matches than places")


def check_closed_referrals(facts: Facts, verdict: Verdict) -> None:
    """Nobody goes on working for a referral that has ended: no open match, no coming session."""
    closed = {
        row["id"]
        for row in facts.tables["referrals.referrals"]
        if row["status"] in ("withdrawn", "declined", "completed")
    }
    apart = {row["aggregate_id"] for rows in facts.deferred.values() for row in rows}
    for row in facts.tables["matching.matches"]:
        if row["referral_id"] in closed - apart and row["state"] != "ended":
            text = f"match {row['id']} is {row['state']}, and its referral is closed"
            verdict.find(LOST, "I6", text)
    ended = {row["id"] for row in facts.tables["scheduling.matches"] if row["state"] == "ended"}
    for row in facts.tables["scheduling.sessions"]:
        if row["match_id"] in ended and row["state"] == "booked":
            verdict.find(LOST, "I6", f"session {row['id']} is booked, and its match has ended")
