"""Stored referrals by COPY, with all that belongs to them in each service's database.

Of fifty, one has nobody yet, two have a shortlist, one meets a peer, the others are completed.
Ids are made from numbers, so that what belongs together in four databases finds itself.
"""

# ruff: noqa: S608  every part of these statements is written here
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.acceptance.running import SERVICES
from tests.benchmarks.measured import Measured, Region

# What each table's rows are made of.
_CLIENT = """jsonb_build_object(
    'given_name', 'Seeded', 'family_name', 'Name ' || n % 40000, 'birth_date', '1980-01-01',
    'record_number', 'SEED-' || n, 'email', 'seed-' || n || '@clients.example',
    'preferred_channel', 'email', 'languages', '["en"]'::jsonb, 'time_zone', 'America/Chicago',
    'postal_code', '74103',
    'safe_contact', '{"times": [], "shared_phone": false, "do_not_contact": false}'::jsonb)"""
_NEEDS = """jsonb_build_object(
    'wishes', 'Somebody to talk to', 'topics', '["grief"]'::jsonb, 'modes', '["video"]'::jsonb,
    'access_needs', '[]'::jsonb, 'excluded_peer_ids', '[]'::jsonb,
    'preferences', '{"peer_gender": null, "peer_age_band": null}'::jsonb)"""
_AGO = "now() - (n % 1000) * interval '1 day' - interval '1 hour'"
_LATELY = "now() - (n % 30) * interval '1 day'"
_IS_OPEN, _IS_WAITING, _IS_ACTIVE = "n % 50 < 4", "n % 50 < 3", "n % 50 = 3"

_OF_FIFTY = 50

_ROWS: dict[str, list[tuple[str, str, str]]] = {
    "referrals": [
        (
            """referrals (id, clinic_id, client_id, status, accepted, received_at, submitted_at,
                urgency, client, needs, record_key, name_key, birth_date, email_key, match_id,
                match_round, match_state, owner_role, owner_organisation_id, next_date, version)""",
            f"""referral, clinic, client,
                CASE WHEN {_IS_WAITING} THEN 'submitted' WHEN {_IS_ACTIVE} THEN 'accepted'
                     ELSE 'completed' END,
                NOT ({_IS_WAITING}), {_AGO}, {_AGO}, 'routine', {_CLIENT}, {_NEEDS},
                'seed-' || n, 'seeded name ' || n % 40000, date '1980-01-01',
                'seed-' || n || '@clients.example', match, 1,
                CASE WHEN n % 50 = 0 THEN 'no-peer-found' WHEN {_IS_WAITING} THEN 'shortlisted'
                     ELSE 'active' END,
                CASE WHEN {_IS_OPEN} THEN 'coordinator' END,
                CASE WHEN {_IS_OPEN} THEN clinic END,
                CASE WHEN {_IS_OPEN} THEN current_date + 3 END, 5""",
            "",
        ),
        (
            """consents (id, referral_id, clinic_id, given_on, scope, recipients, ends_at,
                recorded_at)""",
            """md5('consent ' || n)::uuid, referral, clinic, current_date,
               '{matching,scheduling,notification,progress-to-clinic}'::text[],
               '{peer-organisations}'::text[], now() + (1 + n % 300) * interval '1 day', now()""",
            "",
        ),
        (
            "steps (referral_id, clinic_id, at, step, by_role, details)",
            f"referral, clinic, {_AGO}, step, 'clinic', '{{}}'::jsonb",
            "unnest('{received,submitted,shortlisted,confirmed,completed}'::text[]) AS step",
        ),
        (
            "disclosures (org_id, subject_id, recipient, purpose, fields, disclosed_at)",
            f"clinic, client, 'matching', 'matching', '{{languages,topics}}'::text[], {_LATELY}",
            "generate_series(1, 2) AS twice",
        ),
    ],
    "matching": [
        (
            """matches (id, referral_id, client_id, clinic_id, round, received_at, state, peer_id,
                peer_organisation_id, mode, end_reason, policy_version, ruled_out, ranked_at,
                opened_at, changed_at)""",
            f"""match, referral, client, clinic, 1, {_AGO},
                CASE WHEN n % 50 = 0 THEN 'waiting' WHEN {_IS_WAITING} THEN 'shortlisted'
                     WHEN {_IS_ACTIVE} THEN 'active' ELSE 'ended' END,
                CASE WHEN NOT ({_IS_WAITING}) THEN peer END,
                CASE WHEN NOT ({_IS_WAITING}) THEN organisation END,
                CASE WHEN NOT ({_IS_WAITING}) THEN 'video' END,
                CASE WHEN NOT ({_IS_OPEN}) THEN 'goals-reached' END,
                1, '{{}}'::jsonb, now() + interval '1 minute', {_AGO}, {_AGO}""",
            "",
        ),
        (
            """needs (referral_id, client_id, clinic_id, received_at, accepted, languages, modes,
                postal_code, is_minor, topics, access_needs, peer_genders, peer_age_bands,
                excluded_peer_ids, preferred_channel, time_zone)""",
            f"""referral, client, clinic, {_AGO}, {_IS_ACTIVE}, '{{en}}'::text[],
                '{{video}}'::text[], '74103', false, '{{grief}}'::text[], '{{}}'::text[],
                '{{}}'::text[], '{{}}'::text[], '{{}}'::uuid[], 'email', 'America/Chicago'""",
            f"(SELECT WHERE {_IS_OPEN}) AS open",
        ),
        (
            """shortlisted_peers (match_id, clinic_id, position, peer_id, peer_organisation_id,
                points, modes, reasons_for, reasons_against)""",
            """match, clinic, row_number() OVER (PARTITION BY n), listed.peer, listed.organisation,
               5000, '{video}'::text[], '[]'::jsonb, '[]'::jsonb""",
            "(SELECT * FROM peers_to_name WHERE n % 50 IN (1, 2) LIMIT 10) AS listed",
        ),
        (
            """offers (id, match_id, referral_id, client_id, clinic_id, peer_id,
                peer_organisation_id, state, answer_by, offered_at)""",
            f"""md5('offer ' || n)::uuid, match, referral, client, clinic, peer, organisation,
                'accepted', {_AGO}, {_AGO}""",
            f"(SELECT WHERE NOT ({_IS_WAITING})) AS met",
        ),
    ],
    "scheduling": [
        (
            "people (id, kind, organisation_id, time_zone)",
            "client, 'client', clinic, 'America/Chicago'",
            "",
        ),
        (
            """matches (id, referral_id, client_id, clinic_id, peer_id, peer_organisation_id, mode,
                state)""",
            f"""match, referral, client, clinic, peer, organisation, 'video',
                CASE WHEN {_IS_ACTIVE} THEN 'confirmed' ELSE 'ended' END""",
            f"(SELECT WHERE NOT ({_IS_WAITING})) AS met",
        ),
        (
            """sessions (id, match_id, referral_id, client_id, peer_id, clinic_id,
                peer_organisation_id, mode, starts_at, ends_at, wall_starts_at, time_zone,
                state)""",
            f"""md5('session ' || n)::uuid, match, referral, client, peer, clinic, organisation,
                'video', starts_at, starts_at + interval '50 minutes',
                starts_at AT TIME ZONE 'America/Chicago', 'America/Chicago',
                CASE WHEN {_IS_ACTIVE} THEN 'booked' ELSE 'held' END""",
            f"""(SELECT date_trunc('hour', now()) + CASE
                        WHEN {_IS_ACTIVE} THEN interval '120 days' + n / 50 * interval '1 hour'
                        ELSE - (1 + n % 1000) * interval '1 day' END AS starts_at
                  WHERE NOT ({_IS_WAITING})) AS met""",
        ),
        (
            "claims (session_id, kind, resource_id, during, clinic_id, peer_organisation_id)",
            """md5('session ' || n)::uuid, kind,
               CASE kind WHEN 'peer' THEN peer ELSE client END,
               tstzrange(starts_at, starts_at + interval '60 minutes'), clinic, organisation""",
            f"""(SELECT date_trunc('hour', now()) + interval '120 days'
                        + n / 50 * interval '1 hour' AS starts_at, kind
                   FROM unnest('{{peer,client}}'::text[]) AS kind WHERE {_IS_ACTIVE}) AS met""",
        ),
    ],
    "notifications": [
        ("people (id, role, organisation_id)", "client, 'client', clinic", ""),
        (
            """messages (id, kind, recipient_role, recipient_id, referral_id, match_id, clinic_id,
                org_id, cause_id, state, channel, not_before, attempts, planned_at,
                delivered_at)""",
            f"""md5(kind || n)::uuid, kind, 'client', client, referral, match, clinic,
                organisation, md5('cause ' || kind || n)::uuid, 'delivered', 'email', {_AGO}, 1,
                {_AGO}, {_AGO}""",
            "unnest('{match-offered,match-confirmed,session-booked}'::text[]) AS kind",
        ),
    ],
}
_CONSUMED = {
    "referrals": "referrals.match",
    "matching": "matching.referral",
    "scheduling": "scheduling.match",
    "notifications": "notifications.match",
}
_AGGREGATES = {
    "referrals": "referral",
    "matching": "match",
    "scheduling": "session",
    "notifications": "notification",
}


def _of_chassis(service: str) -> list[tuple[str, str, str]]:
    queue, aggregate = _CONSUMED[service], _AGGREGATES[service]
    own = f"md5('{aggregate} ' || n)::uuid"
    return [
        (
            "inbox (consumer, event_id, received_at)",
            f"'{queue}', md5('heard ' || n || ' ' || each)::uuid, {_LATELY}",
            "(SELECT 3 AS each) AS last",
        ),
        (
            "positions (consumer, aggregate_id, epoch, sequence)",
            f"'{queue}', CASE WHEN '{queue}' LIKE '%referral' THEN referral ELSE match END, 1, 4",
            "",
        ),
        ("streams (aggregate_id, aggregate, sequence)", f"{own}, '{aggregate}', 3", ""),
        (
            """outbox_sent (event_id, type, aggregate, aggregate_id, epoch, sequence, org_id,
                clinic_org_id, occurred_at, body, sent_at)""",
            f"""md5('told {aggregate}' || n || ' ' || each)::uuid, '{aggregate}.submitted.v1',
                '{aggregate}', {own}, 1, each, clinic, clinic, {_LATELY},
                convert_to(json_build_object('referral_id', referral)::text, 'UTF8'), {_LATELY}""",
            "(SELECT 3 AS each) AS last",
        ),
    ]


@dataclass(frozen=True)
class Seeding:
    system: Measured
    region: Region

    def store(self, first: int, last: int) -> None:
        """Add the referrals with these numbers everywhere, and let the planner know of them."""
        peers = self.system.rows("matching", "SELECT id, peer_organisation_id FROM peers")
        with ThreadPoolExecutor(len(SERVICES)) as threads:
            list(threads.map(lambda one: self._store(one, peers, first, last), SERVICES))
        taken = f"UPDATE peers SET places_taken = places_taken + {(last - first + 1) // 50}"
        with self.system.database("matching") as connection:
            connection.execute(f"{taken} / {len(peers)}".encode())

    def store_waiting(self, count: int) -> None:
        """Add so many that have a shortlist and nobody asked yet."""
        peers = self.system.rows("matching", "SELECT id, peer_organisation_id FROM peers")
        last = 1 + (count - 1) * _OF_FIFTY
        for service in SERVICES:
            self._store(service, peers, 1, last, step=_OF_FIFTY)

    def add_peers(self, count: int) -> None:
        """Add peers to matching until there are so many, each like one that is there."""
        query = """
            INSERT INTO peers (id, peer_organisation_id, display_name, email, contact_key,
                               preferred_channel, languages, modes, postal_code, time_zone,
                               topics, access, certified_until, cleared_for_minors, capacity,
                               places_limit, registered_at, updated_at)
            SELECT gen_random_uuid(), peer_organisation_id, display_name || ' ' || number, email,
                   contact_key || number, preferred_channel, languages, modes, postal_code,
                   time_zone, topics, access, certified_until, cleared_for_minors, capacity,
                   places_limit, registered_at + interval '1 second', updated_at
              FROM peers
             CROSS JOIN generate_series(1, %(count)s) AS number
             ORDER BY number
             LIMIT greatest(%(count)s - (SELECT count(*) FROM peers), 0)
        """
        with self.system.database("matching") as connection:
            connection.execute(query, {"count": count})
            connection.execute("ANALYZE peers")

    def _store(
        self,
        service: str,
        peers: list[dict[str, Any]],
        first: int,
        last: int,
        *,
        step: int = 1,
    ) -> None:
        with (
            self.system.database(service) as source,
            self.system.database(service) as connection,
        ):
            source.execute(
                """CREATE TEMP TABLE peers_to_name AS SELECT * FROM unnest(%s::uuid[], %s::uuid[])
                WITH ORDINALITY AS named (peer, organisation, number)""",
                ([one["id"] for one in peers], [one["peer_organisation_id"] for one in peers]),
            )
            # The rows belong together as they are made; to look up each key takes minutes.
            connection.execute("SET session_replication_role = replica")
            for table, columns, beside in (*_ROWS[service], *_of_chassis(service)):
                _copy(source, connection, table, self._select(columns, beside, first, last, step))
            connection.execute("VACUUM (ANALYZE)")  # as autovacuum leaves it

    def _select(self, columns: str, beside: str, first: int, last: int, step: int) -> str:
        clinics = ",".join(self.region.clinic_ids)
        lateral = f"CROSS JOIN LATERAL {beside}" if beside else ""
        return f"""
            SELECT {columns}
              FROM (SELECT n, md5('referral ' || n)::uuid AS referral,
                           md5('client ' || n)::uuid AS client, md5('match ' || n)::uuid AS match,
                           ('{{{clinics}}}'::uuid[])[1 + n % {len(self.region.clinic_ids)}]
                               AS clinic,
                           peer, organisation
                      FROM generate_series({first}, {last}, {step}) AS n
                      JOIN peers_to_name
                        ON number = 1 + n / 50 % (SELECT count(*) FROM peers_to_name)) AS seeded
              {lateral}
        """


def _copy(
    source: psycopg.Connection[Any], connection: psycopg.Connection[Any], table: str, select: str
) -> None:
    out_of, into = f"COPY ({select}) TO STDOUT", f"COPY {table} FROM STDIN"
    with (
        source.cursor().copy(out_of.encode()) as made,
        connection.cursor().copy(into.encode()) as kept,
    ):
        for block in made:
            kept.write(block)
