"""Who may sign in to the demo region: one account a role, one a clinic, one a peer."""

from collections.abc import Mapping

from deploy.region.api import Account
from deploy.region.people import CLINICS, PEERS, Organisation, organisation_ids

COORDINATOR = Account("coordinator", "demo-coordinator", tuple(organisation_ids()))
OPERATOR = Account("operator", "demo-operator", tuple(organisation_ids()))
SUPERVISOR = Account("supervisor", "demo-supervisor", tuple(organisation_ids()))
EVALUATOR = Account("evaluator", "demo-evaluator", tuple(organisation_ids()))


def clinic_account(clinic: Organisation) -> Account:
    return Account("clinic", f"demo-{clinic.slug}", (clinic.id,))


def peer_account(slug: str, organisation: Organisation, peer_id: str) -> Account:
    return Account("peer", f"demo-peer-{slug}", (organisation.id,), peer_id)


def client_account(clinic: Organisation, client_id: str) -> Account:
    return Account("client", "demo-client", (clinic.id,), client_id)


def every_account(peer_ids: Mapping[str, str]) -> list[Account]:
    """Every account but the client's, whom the walk brings; `peer_ids` are by slug."""
    peers = [peer_account(peer.slug, peer.organisation, peer_ids[peer.slug]) for peer in PEERS]
    clinics = [clinic_account(clinic) for clinic in CLINICS]
    return [*clinics, COORDINATOR, *peers, SUPERVISOR, OPERATOR, EVALUATOR]
