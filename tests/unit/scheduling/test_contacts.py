from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.scheduling.domain import policy
from services.scheduling.domain.contacts import (
    Details,
    Form,
    Kind,
    Participant,
    Setting,
    people_met,
    problems,
)

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
SOMEBODY = Participant(
    match_id=UUID(int=1), referral_id=UUID(int=2), client_id=UUID(int=3), clinic_id=UUID(int=4)
)
TALK = Details(
    form=Form.PERSON,
    kind=Kind.CONVERSATION,
    setting=Setting.PHONE,
    started_at=NOW - timedelta(minutes=30),
    minutes=30,
    people=1,
    participants=(SOMEBODY,),
)


def test_a_contact_that_has_just_ended_can_be_entered() -> None:
    assert problems(TALK, NOW) == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"minutes": 40}, "started_at"),
        ({"started_at": NOW + timedelta(days=1)}, "started_at"),
        ({"started_at": NOW - policy.LOGGED_WITHIN - timedelta(minutes=1)}, "started_at"),
        ({"participants": (SOMEBODY, replace(SOMEBODY, match_id=UUID(int=9)))}, "match_ids"),
        ({"form": Form.GROUP, "people": 0}, "people"),
    ],
)
def test_what_cannot_be_is_named_by_its_field(change: dict[str, object], field: str) -> None:
    assert list(problems(replace(TALK, **change), NOW)) == [field]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "kind", "told", "named", "met"),
    [
        (Form.PERSON, Kind.CONVERSATION, None, 1, 1),
        (Form.PERSON, Kind.CONVERSATION, 7, 0, 1),
        (Form.GROUP, Kind.ACTIVITY, 6, 2, 6),
        (Form.GROUP, Kind.ACTIVITY, None, 3, 3),
        (Form.PERSON, Kind.REACHING_OUT, None, 1, 0),
    ],
)
def test_people_met_are_those_told_or_named_and_nobody_when_nobody_was_reached(
    form: Form, kind: Kind, told: int | None, named: int, met: int
) -> None:
    assert people_met(form, kind, told, named) == met
