"""Every metric of the system, defined once: base units, and labels with few values."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "kindred_events_total",
    "Deliveries by what became of them: handled, skipped, passed (a version for others), duplicate,"
    " deferred, superseded, parked.",
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
