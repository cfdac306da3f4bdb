"""The policy that counts: signed, put to use by an operator, and read by every process alike."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from marshmallow import ValidationError

from services.chassis import packs
from services.chassis.errors import DomainError
from services.chassis.http.keys import PublicKeys, WrongKey
from services.chassis.http.reading import flatten
from services.chassis.log import get_log
from services.chassis.settings import Settings
from services.chassis.work import Work
from services.matching.domain.ranking import Policy
from services.matching.repository.policies import Policies
from services.matching.schemas.policy import PolicySchema

KIND: Final = "kindred-matching-policy"
BUILT_IN: Final = Policy()
log = get_log(__name__)


class WrongPolicy(ValueError):
    """Names all that is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class NotNewer(DomainError):
    slug: ClassVar[str] = "policy-not-newer"

    def __init__(self, version: int, active: int) -> None:
        super().__init__(f"Version {version} is not above {active}, which counts now.")


@dataclass
class KnownPolicies:
    """What a process has read of them."""

    _known: dict[int, Policy] = field(default_factory=dict)

    def of(self, version: int | None, work: Work) -> Policy:
        """The one of this version; where its signature does not hold, the one before it counts."""
        if version is None:
            return BUILT_IN
        if version not in self._known:
            row = Policies(work.connection).find(version)
            try:
                self._known[version], _ = read(row["pack"] if row else "", work.settings)
            except WrongPolicy as error:
                log.error("policy_refused", error=error, version=version)
                before = Policies(work.connection).latest(below=version)
                self._known[version] = self.of(before, work)
        return self._known[version]


def active(work: Work) -> Policy:
    return work.memory(KnownPolicies).of(Policies(work.connection).latest(), work)


def activate(pack: str, work: Work) -> Policy:
    """Put a signed policy to use; whoever waits is ranked by it as the timer comes to them.

    Raise WrongPolicy, or NotNewer.
    """
    policy, signed_by = read(pack, work.settings)
    policies = Policies(work.connection)
    latest = policies.lock_latest() or BUILT_IN.version
    if policy.version <= latest:
        raise NotNewer(policy.version, latest)
    policies.add(policy.version, pack.strip(), signed_by, work.now)
    return policy


def read(pack: str, settings: Settings | None) -> tuple[Policy, str]:
    """The policy in a pack, and whose signature it has; without settings nobody's counts."""
    try:
        keys = PublicKeys(settings.pack_keys) if settings and settings.pack_keys else None
        content, signed_by = packs.read(pack, keys, kind=KIND)
    except (packs.WrongPack, WrongKey) as error:
        raise WrongPolicy([f"signature: {error}"]) from None
    return parse(content), signed_by


def parse(content: Any) -> Policy:
    try:
        policy: Policy = PolicySchema().load(content)
    except ValidationError as error:
        told = flatten(error.messages, "", "policy")
        raise WrongPolicy([f"{name}: {' '.join(texts)}" for name, texts in told]) from None
    return policy
