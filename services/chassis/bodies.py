"""An event's body as it leaves: written by its producer's schema, and held to it."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields

from services.chassis.events import Event

# Fields that write a value of their own type as it is, so that nothing but a validator of theirs
# can find fault with it afterwards. By exact type: True is no whole number here.
_PLAIN: dict[type[fields.Field[Any]], type] = {
    fields.UUID: UUID,
    fields.String: str,
    fields.Integer: int,
    fields.Boolean: bool,
}


@dataclass(frozen=True)
class _Part:
    """One field of a body."""

    name: str
    key: str
    field: fields.Field[Any]

    def of(self, event: Event) -> Any:
        """The value as marshmallow writes it; raise ValidationError if it would not read that."""
        value = getattr(event, self.name)
        if type(value) is not _PLAIN.get(type(self.field)):
            written = self.field.serialize(self.name, event)
            self.field.deserialize(written)
            return written
        for validator in self.field.validators:
            validator(value)
        return str(value) if type(value) is UUID else value


class Body:
    """Writes the bodies of one type of event."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.parts = [
            _Part(field.attribute or name, field.data_key or name, field)
            for name, field in schema.fields.items()
        ]

    def of(self, event: Event) -> bytes:
        """The body; a wrong event must not leave the process."""
        try:
            data = {part.key: part.of(event) for part in self.parts}
        except ValidationError:
            problems = self.schema.validate(self.schema.dump(event))
            raise TypeError(f"{event.type} breaks its own schema in {sorted(problems)}") from None
        return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
