"""Who may act, as the contract names them."""

from enum import StrEnum


class Role(StrEnum):
    CLINIC = "clinic"
    COORDINATOR = "coordinator"
    PEER = "peer"
    CLIENT = "client"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    EVALUATOR = "evaluator"
    SERVICE = "service"


CLINIC = Role.CLINIC
COORDINATOR = Role.COORDINATOR
PEER = Role.PEER
CLIENT = Role.CLIENT
SUPERVISOR = Role.SUPERVISOR
OPERATOR = Role.OPERATOR
EVALUATOR = Role.EVALUATOR
SERVICE = Role.SERVICE

# They change what belongs to others, so they must show which version they saw (If-Match).
STAFF = frozenset({CLINIC, COORDINATOR, SUPERVISOR, OPERATOR})
