"""Judges a run by what it left behind, without a line of the services' own code.

`check(evidence)` reads databases, mails and the load's ledger, and says what was lost, applied
twice, unexpected, out of order or double booked, each finding with the invariant that it breaks.
"""

from tests.chaos import check_commands, check_effects, check_events
from tests.chaos.evidence import Evidence, read
from tests.chaos.verdict import Verdict

EFFECTS = (
    check_effects.check_timeline,
    check_effects.check_messages,
    check_effects.check_mails,
    check_effects.check_sessions,
    check_effects.check_double_bookings,
    check_effects.check_matches,
    check_effects.check_closed_referrals,
)


def check(evidence: Evidence) -> Verdict:
    facts, verdict = read(evidence), Verdict()
    check_events.check_numbers(facts, verdict)
    for queue in facts.queues:
        check_events.check_queue(facts, queue, verdict)
        check_events.check_set_aside(facts, queue, verdict)
    for check_effect in EFFECTS:
        check_effect(facts, verdict)
    if facts.commands is not None:
        check_commands.check_commands(facts, facts.commands, verdict)
    return verdict
