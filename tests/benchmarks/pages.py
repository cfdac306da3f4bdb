"""How long each page takes beside few and beside many referrals, and how much is transferred.

The time is from the request to the last byte of the page with its parts, through the gateway on
one kept connection, with the workers at work. Each page is asked for by somebody who may see it;
the two sizes stand in two systems side by side and are measured in turn.
"""

import gzip
import http.client
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from deploy.machine.ports import LOOPBACK
from deploy.region.api import Account
from deploy.topology import declared_services
from services.chassis.service import Page
from tests.acceptance.visitors import cookie_for
from tests.benchmarks.bench import Bench
from tests.benchmarks.figures import Figure, Goal, Measured, Measurement, alternate, ratio_of
from tests.benchmarks.load import Unexpected, percentile
from tests.benchmarks.measured import Measured as System
from tests.benchmarks.measured import Region, measured, open_region
from tests.benchmarks.seeding import Seeding

FEW, MANY, MANY_PEERS = 200, 20_000, 5_000
ASKED, WARM_UP = 40, 10
FIRST_LOAD, NEXT_LOAD = "pages.transfer", "pages.transfer.next"
_KB = 1000


def name_of(page: Page) -> str:
    """`/matching/referrals/{referral_id}` is `pages.matching.referrals.one`."""
    words = re.sub(r"\{\w+\}", "one", page.path).strip("/").split("/")
    return ".".join(["pages", *words])


def asked_for() -> list[Page]:
    """Every page with a role; a part of one is measured with the page that it is put into."""
    return [
        page
        for service in declared_services()
        for page in service.declared(Page)
        if page.method == "GET" and page.roles and not page.files and "/fragments/" not in page.path
    ]


@dataclass
class Site:
    """A system with its people, and connections that stay open."""

    system: System
    region: Region
    ids: Mapping[str, str]
    people: Mapping[str, Account]
    _cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        port = int(self.system.gateway_url.rpartition(":")[2])
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20)

    def load(self, page: Page) -> bytes:
        """The page as it travels to a browser, compressed."""
        path = page.path.format(**self.ids)
        headers = {
            "Accept": "text/html",
            "Accept-Encoding": "gzip",
            "Cookie": self._cookie(min(page.roles, key=str)),
        }
        try:
            self._connection.request("GET", path, headers=headers)
            answer = self._connection.getresponse()
        except http.client.RemoteDisconnected:  # the gateway ends a connection after many requests
            self._connection.close()
            self._connection.request("GET", path, headers=headers)
            answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise Unexpected(f"{answer.status} for {path}")
        return content

    def p95(self, page: Page) -> float:
        """Milliseconds that 95 of 100 loads do not exceed."""
        taken = []
        for _ in range(ASKED):
            began = time.monotonic()
            self.load(page)
            taken.append((time.monotonic() - began) * 1000)
        return percentile(taken, 0.95)

    def style(self, page: bytes) -> bytes:
        text = gzip.decompress(page)
        found = re.search(rb'<link rel="stylesheet" href="([^"]+)"', text)
        if found is None:
            raise Unexpected("a page without its style sheet")
        self._connection.request("GET", found[1].decode(), headers={"Accept-Encoding": "gzip"})
        answer = self._connection.getresponse()
        sent = answer.read()
        gzip.decompress(sent)  # it is counted as it travels
        return sent

    def _cookie(self, role: str) -> str:
        if role not in self._cookies:
            account = self.people.get(role) or self._staff(role)
            self._cookies[role] = cookie_for(self.system, account)
        return self._cookies[role]

    def _staff(self, role: str) -> Account:
        everywhere = self.region.coordinator.orgs
        return Account(role, f"bench-{role}", everywhere)


@contextmanager
def site(name: str, referrals: int, peers: int) -> Iterator[Site]:
    with measured(name) as system:
        region = open_region(system)
        seeding = Seeding(system, region)
        if peers:
            seeding.add_peers(peers)
        seeding.store_waiting(referrals)
        yield Site(system, region, *_known(system, region))


def _known(system: System, region: Region) -> tuple[dict[str, str], dict[str, Account]]:
    """One of what has an id; a peer with a week of work behind them, and a client."""
    query = """
        SELECT referral_id, client_id, clinic_id FROM matches WHERE state = 'shortlisted' LIMIT 1
    """
    waiting = system.rows("matching", query)[0]
    query = "SELECT id, peer_organisation_id FROM peers ORDER BY registered_at LIMIT 1"
    peer = system.rows("matching", query)[0]
    account = region.peer(str(peer["peer_organisation_id"]), str(peer["id"]))
    query = "SELECT id FROM messages WHERE recipient_role = 'client' LIMIT 1"
    message = system.rows("notifications", query)[0]["id"]
    ids = {"referral_id": str(waiting["referral_id"]), "message_id": str(message)}
    people = {
        "peer": account,
        "client": region.client(str(waiting["clinic_id"]), str(waiting["client_id"])),
    }
    return {**ids, **_logged(system, account), **_away(system, region, account)}, people


def _logged(system: System, peer: Account) -> dict[str, str]:
    query = """
        INSERT INTO contacts (id, peer_id, peer_organisation_id, form, kind, setting, started_at,
                              time_zone, minutes, people)
        SELECT gen_random_uuid(), %s, %s, 'person', 'conversation', 'phone',
               now() - number * interval '3 hours', 'America/Chicago', 30, 0
          FROM generate_series(1, 200) AS number
        RETURNING id
    """
    with system.database("scheduling") as connection:
        found = connection.execute(query, (peer.person, peer.orgs[0])).fetchall()
    return {"contact_id": str(found[0]["id"])}


def _away(system: System, region: Region, peer: Account) -> dict[str, str]:
    """Twenty of the peer's colleagues will be away; five people each are asked about it."""
    query = """
        WITH planned AS (
            INSERT INTO leaves (id, peer_id, peer_organisation_id, first_day, last_day, time_zone,
                                starts_at, ends_at)
            SELECT gen_random_uuid(), gen_random_uuid(), %(organisation)s, current_date + 100,
                    current_date + 110, 'UTC', current_date + 100, current_date + 111
              FROM generate_series(1, 20)
            RETURNING id, peer_id, starts_at
        ), met AS (
            INSERT INTO matches (id, referral_id, client_id, clinic_id, peer_id,
                                 peer_organisation_id, mode, state)
            SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), %(clinic)s, peer_id,
                   %(organisation)s, 'video', 'confirmed'
              FROM planned, generate_series(1, 5)
            RETURNING *
        ), booked AS (
            INSERT INTO sessions (id, match_id, referral_id, client_id, peer_id, clinic_id,
                                  peer_organisation_id, mode, starts_at, ends_at, wall_starts_at,
                                  time_zone)
            SELECT gen_random_uuid(), met.id, referral_id, client_id, peer_id, clinic_id,
                   peer_organisation_id, 'video', starts_at + interval '9 hours',
                   starts_at + interval '10 hours', starts_at::timestamp, 'UTC'
              FROM met JOIN planned USING (peer_id)
            RETURNING id, match_id
        )
        INSERT INTO leave_questions (id, leave_id, match_id, referral_id, client_id, clinic_id,
                                     peer_id, peer_organisation_id, session_ids, wish, told_by)
        SELECT gen_random_uuid(), planned.id, met.id, referral_id, client_id, clinic_id,
               peer_id, peer_organisation_id, ARRAY[booked.id], 'cover', 'client'
          FROM met JOIN planned USING (peer_id) JOIN booked ON booked.match_id = met.id
        RETURNING id
    """
    given = {"organisation": peer.orgs[0], "clinic": region.clinic_ids[0]}
    with system.database("scheduling") as connection:
        found = connection.execute(query, given).fetchall()
    return {"question_id": str(found[0]["id"])}


def run(bench: Bench) -> Mapping[str, Measured]:
    pages = asked_for()
    found: dict[str, Measured] = {}
    with site("few", FEW, 0) as few, site("many", MANY, MANY_PEERS) as many:
        for page in pages:
            for _ in range(WARM_UP):
                few.load(page)
                many.load(page)
            if bench.wants(name_of(page)) or bench.wants(f"{name_of(page)}.growth"):
                found |= _compared(page, few, many)
        found |= _transfers(pages, many)
    return found


def _compared(page: Page, few: Site, many: Site) -> dict[str, Measured]:
    rounds = alternate({"many": lambda: many.p95(page), "few": lambda: few.p95(page)})
    value = median(rounds["many"])
    return {
        name_of(page): Measured(value=value, details={"rounds_ms": rounds}),
        f"{name_of(page)}.growth": Measured(
            value=value, ratio=ratio_of(rounds, "many", "few"), vs=f"{FEW} referrals"
        ),
    }


def _transfers(pages: Sequence[Page], many: Site) -> dict[str, Measured]:
    """Of the heaviest page: with the style sheet, and when that is there already."""
    sizes = {name_of(page): len(many.load(page)) for page in pages}
    style = len(many.style(many.load(pages[0])))
    heaviest = max(sizes.values())
    return {
        FIRST_LOAD: Measured(value=(heaviest + style) / _KB, details={"bytes": sizes}),
        NEXT_LOAD: Measured(value=heaviest / _KB, details={"bytes": sizes}),
    }


MEASUREMENTS = [
    Measurement(
        figures=[
            *(Figure(name_of(page), "ms", Goal("<=", 100)) for page in asked_for()),
            *(
                Figure(f"{name_of(page)}.growth", "ms", Goal("<=", 1.3, "ratio"))
                for page in asked_for()
            ),
            Figure(FIRST_LOAD, "kB", Goal("<=", 100)),
            Figure(NEXT_LOAD, "kB", Goal("<=", 20)),
        ],
        run=run,
        most_seconds=900,
    )
]
