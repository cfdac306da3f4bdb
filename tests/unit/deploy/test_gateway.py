"""The gateway's configuration: what is reachable, and what is written down."""

import re
from pathlib import Path

import pytest

from deploy.machine.gateway import configuration
from deploy.topology import SERVICES

TEXT = configuration(
    listen="127.0.0.1:8080",
    upstreams={service: ["127.0.0.1:8000", "127.0.0.1:8001"] for service in SERVICES},
    folder=Path("/run"),
    assets=Path("/run/assets"),
    access_log="/run/access.log",
    error_log="/run/error.log",
)
LOCATIONS = re.findall(r"location ~ (\S+) \{\s+set \$service (\w+);", TEXT)


def owner(path: str) -> str | None:
    return next((name for pattern, name in LOCATIONS if re.search(pattern, path)), None)


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/api/referrals/referrals", "referrals"),
        ("/api/matching/openapi.json", "matching"),
        ("/scheduling/calendar", "scheduling"),
        ("/api/referrals/referrals/0b7c/consent-scan", "referrals"),
        ("/l/r-abc", "referrals"),
        ("/l/m-abc", "matching"),
        ("/l/s-abc", "scheduling"),
        ("/l/n-abc", "notifications"),
        ("/health/notifications/live", "notifications"),
        ("/health/notifications/ready", "notifications"),
        ("/", "referrals"),
        ("/sign-in", "referrals"),
        ("/sign-out", "referrals"),
        ("/sign-in/x", None),
        ("/internal/needs", None),
        ("/metrics", None),
        ("/api/internal/needs", None),
        ("/api/matchingx/peers", None),
        ("/health/matching/readyx", None),
        ("/l/x-abc", None),
    ],
)
def test_a_path_reaches_its_owner_or_nobody(path: str, service: str | None) -> None:
    assert owner(path) == service


@pytest.mark.parametrize(
    "variable",
    ["request ", "request_uri", "uri", "args", "query_string", "http_referer", "remote_addr"],
)
def test_the_access_log_holds_no_address_query_or_referrer(variable: str) -> None:
    (log_format,) = re.findall(r"log_format kindred(.*?);", TEXT, re.DOTALL)

    assert f"${variable}" not in log_format


def test_only_repeatable_requests_go_to_another_replica() -> None:
    (rule,) = re.findall(r"proxy_next_upstream ([^;]*);", TEXT)

    assert "non_idempotent" not in rule


def test_only_the_path_of_scans_takes_large_bodies() -> None:
    larger = re.findall(r"location ~ (\S+) \{[^}]*client_max_body_size 8m;", TEXT)

    assert len(larger) == 1
    assert re.search(larger[0], "/api/referrals/referrals/0b7c/consent-scan")
    assert not re.search(larger[0], "/api/referrals/referrals")
    assert LOCATIONS.index((larger[0], "referrals")) == 0
