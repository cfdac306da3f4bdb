"""The short way to read an event and the thorough one."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis import events
from services.chassis.errors import UnreadableEvent

ROW = {
    "event_id": UUID(int=1),
    "epoch": 3,
    "type": "match.activated.v2",
    "occurred_at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    "aggregate_id": UUID(int=2),
    "sequence": 7,
    "org_id": UUID(int=3),
    "clinic_org_id": UUID(int=4),
    "traceparent": f"00-{1:032x}-{2:016x}-01",
    "versions": "v2,v1",
}
HEADERS = events.headers_of("matching", ROW)
BODY = json.dumps({"match_id": str(UUID(int=2))}).encode()

hostile: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                " ",
                "0",
                "00",
                "7",
                "007",
                "+7",
                "7_0",
                "-1",
                "1.0",
                "9" * 18,
                "9" * 19,
                "9" * 20,
            ),
            *(
                "\u0667",
                "\ud800",
                "a\0b",
                "a,",
                ",",
                "/epochs/",
                "/epochs/1",
                "/a/epochs/1/epochs/2",
            ),
            *(
                "/epochs/999999999",
                "/epochs/9999999999",
                "/epochs/-1",
                "/epochs/\u0661",
                "epochs/1",
            ),
            *("2026-11-23", "2026-11-23T09:30:00", "2026-11-23T09:30:00-06:00", "20261123T093000Z"),
            *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-23T24:00:00Z"),
            *(
                f"{{{UUID(int=5)}}}",
                UUID(int=5).urn,
                UUID(int=5).hex,
                f"{UUID(int=5)} ",
                "\u0665" * 32,
            ),
            *(None, True, 1, 1.5, b"1.0", [], {}, UUID(int=5)),
        ]
    ),
    st.text(max_size=40),
    st.uuids().map(str),
    st.integers(-1, 2**64).map(str),
    st.datetimes().map(datetime.isoformat),
)
bodies = st.one_of(
    st.sampled_from(
        [
            *(
                b"",
                b"{}",
                b"[]",
                b"null",
                b"{",
                b'{"a": NaN}',
                b'{"a": "\\ud800"}',
                b"\xff\xfe{\0}\0",
            ),
            *(b"[" * 60_000, b'{"a": ' + b"9" * 5000 + b"}", b'{"a":"' + b"a" * 65_536 + b'"}'),
        ]
    ),
    st.binary(max_size=20),
)
content_types = st.sampled_from([events.CONTENT_TYPE, "text/plain", "", None])
ABSENT = object()


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.dictionaries(
        st.sampled_from([*HEADERS, "more"]), st.just(ABSENT) | hostile, max_size=3
    ),
    body=st.just(BODY) | bodies,
    content_type=st.just(events.CONTENT_TYPE) | content_types,
)
def test_what_is_read_the_short_way_is_what_the_thorough_way_reads(
    changes: dict[str, Any], body: bytes, content_type: str | None
) -> None:
    headers = {name: value for name, value in (HEADERS | changes).items() if value is not ABSENT}

    plainly = events.read_plain(headers, content_type, body)

    if plainly is not None:
        # By repr, for NaN equals nothing.
        assert repr(plainly) == repr(events.read_any(headers, content_type, body))


@pytest.mark.parametrize(
    "absent", [(), ("org_id", "clinic_org_id"), ("traceparent",), ("versions",)]
)
def test_what_a_producer_sends_is_read_the_short_way(absent: tuple[str, ...]) -> None:
    headers = events.headers_of("matching", ROW | dict.fromkeys(absent))

    plainly = events.read_plain(headers, events.CONTENT_TYPE, BODY)

    assert plainly == events.read_any(headers, events.CONTENT_TYPE, BODY)


@pytest.mark.parametrize("name", [name for name in HEADERS if name != "cloudEvents:specversion"])
@pytest.mark.parametrize("value", [1, b"a", [], "", "a\0b"])
def test_what_is_wrong_with_an_attribute_is_named(name: str, value: Any) -> None:
    with pytest.raises(UnreadableEvent, match=name):
        events.read(HEADERS | {name: value}, events.CONTENT_TYPE, BODY)
