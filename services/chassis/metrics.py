"""Every metric of the system, defined once: base units, and labels with few values."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "kindred_events_total",
    "Deliveries by what became of them: handled, skipped, passed (a version for others), duplicate,"
    " late (its number was passed without it), deferred, superseded, parked.",
    ["queue", "outcome"],
)
BATCH_SECONDS = Histogram(
    "kindred_event_batch_seconds",
    "From the first delivery of a batch to its acknowledgement.",
    ["queue"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
PUBLISHED = Counter(
    "kindred_outbox_published_total",
    "Outbox rows by the broker's answer: confirmed, returned, refused, unanswered.",
    ["outcome"],
)
RELAY_LEADER = Gauge("kindred_relay_leader", "1 where this process's relay is the leader.")
RELAY_FENCES = Counter(
    "kindred_relay_fences_total", "Times this process ended the session of a silent leader."
)
HTTP_SECONDS = Histogram(
    "kindred_http_request_seconds",
    "Requests by route name and status.",
    ["route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
LOOP_FAULTS = Counter(
    "kindred_loop_faults_total", "Times a loop was begun anew after an error.", ["loop"]
)
LOOP_SILENCE = Gauge(
    "kindred_loop_silence_seconds", "Since a worker's loop last showed that it goes on.", ["loop"]
)
ASKED = Counter(
    "kindred_internal_calls_total",
    "Facts asked of another service, by owner and outcome: answered, refused, away.",
    ["owner", "outcome"],
)
OUTBOX_ROWS = Gauge("kindred_outbox_rows", "Events that have not left yet.")
OUTBOX_OLDEST = Gauge("kindred_outbox_oldest_seconds", "Age of the oldest event that has not left.")
DEFERRED_ROWS = Gauge(
    "kindred_deferred_rows", "Events set aside, by state: waiting, parked.", ["queue", "state"]
)
DEFERRED_OLDEST = Gauge(
    "kindred_deferred_oldest_seconds", "Since the oldest of them was set aside.", ["queue", "state"]
)
GAP_OLDEST = Gauge(
    "kindred_gap_oldest_seconds", "Since the oldest event waits for one that never came.", ["queue"]
)
QUEUE_READY = Gauge("kindred_queue_ready", "Messages that no consumer has fetched yet.", ["queue"])
QUEUE_CONSUMERS = Gauge("kindred_queue_consumers", "Consumers, idle ones too.", ["queue"])
REFERRALS_OPEN = Gauge("kindred_referrals_open", "Open referrals by status.", ["status"])
REFERRALS_UNOWNED = Gauge(
    "kindred_referrals_without_owner_or_date", "Open referrals without an owner or a next date."
)
REFERRALS_OVERDUE = Gauge("kindred_referrals_overdue", "Open referrals whose next date has passed.")
UNASSIGNED_OLDEST = Gauge(
    "kindred_unassigned_oldest_seconds", "Since the longest waiting accepted referral came in."
)
SESSIONS_UNTOLD = Gauge(
    "kindred_sessions_without_outcome", "Sessions that are over, and nobody has said how they went."
)
MESSAGE_OLDEST = Gauge(
    "kindred_message_due_oldest_seconds", "Since the oldest unsent message became due."
)
MAILS = Counter(
    "kindred_mails_total",
    "Mails handed over, by the mail server's answer: taken, refused, later, unknown.",
    ["outcome"],
)
