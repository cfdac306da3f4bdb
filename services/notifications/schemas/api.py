"""The JSON API of notifications: the ledger and a person's preferences."""

from typing import Any

from marshmallow import Schema, fields, validate

from services.chassis.cursors import PageSchema
from services.notifications.domain.kinds import Recipient, State

LANGUAGES = ("en", "es")
DETAILS = ("discreet", "detailed")


class RecipientSchema(Schema):
    role = fields.String(validate=validate.OneOf([*Recipient]))
    id = fields.UUID()


class MessageSchema(Schema):
    """One row of the delivery ledger: never what it said, nor where it went."""

    id = fields.UUID()
    kind = fields.String()
    recipient = fields.Nested(RecipientSchema)
    referral_id = fields.UUID()
    match_id = fields.UUID(allow_none=True)
    session_id = fields.UUID(allow_none=True)
    channel = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf([*State]))
    reason = fields.String(allow_none=True)
    planned_for = fields.AwareDateTime()
    attempts = fields.Integer()
    repeats = fields.Integer()
    delivered_at = fields.AwareDateTime(allow_none=True)
    resend_of = fields.UUID(allow_none=True)


def ledger_row(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the table as the API shows it."""
    shown = {name: row[name] for name in MessageSchema().fields if name in row}
    return shown | {
        "recipient": {"role": row["recipient_role"], "id": row["recipient_id"]},
        "planned_for": row["not_before"],
    }


class LedgerQuerySchema(PageSchema):
    referral_id = fields.UUID(load_default=None)
    person = fields.UUID(load_default=None)
    state = fields.String(load_default=None, validate=validate.OneOf([*State]))


class ToldSchema(Schema):
    outcome = fields.String(required=True, validate=validate.OneOf(["told", "not-reached"]))


class PreferencesSchema(Schema):
    """`detail`: discreet texts name a time only; detailed ones the place as well."""

    language = fields.String(required=True, allow_none=True, validate=validate.OneOf(LANGUAGES))
    detail = fields.String(load_default="discreet", validate=validate.OneOf(DETAILS))


class PersonPreferencesSchema(PreferencesSchema):
    id = fields.UUID()
