"""What the checker found: counters in the words of RabbitMQ's Jepsen tests, and each finding."""

from collections import Counter
from dataclasses import dataclass, field

LOST, APPLIED_TWICE, UNEXPECTED = "lost", "applied_twice", "unexpected"
OUT_OF_ORDER, DOUBLE_BOOKED, UNEXPLAINED = "out_of_order", "double_booked", "unexplained"
MUST_BE_ZERO = (LOST, APPLIED_TWICE, UNEXPECTED, OUT_OF_ORDER, DOUBLE_BOOKED, UNEXPLAINED)


@dataclass(frozen=True)
class Finding:
    counter: str
    invariant: str  # I1 to I8 of the fault catalogue
    text: str


@dataclass
class Verdict:
    handled: int = 0  # how often a consumer was done with an event
    parked: int = 0
    findings: list[Finding] = field(default_factory=list)

    def find(self, counter: str, invariant: str, text: str) -> None:
        self.findings.append(Finding(counter, invariant, text))

    def __getitem__(self, counter: str) -> int:
        return Counter(finding.counter for finding in self.findings)[counter]

    @property
    def invariants(self) -> set[str]:
        """Those that were broken."""
        return {finding.invariant for finding in self.findings}

    @property
    def is_clean(self) -> bool:
        return not self.findings
