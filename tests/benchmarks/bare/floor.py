"""The floor under the pipeline: the same commits, hops and questions by bare processes.

Started as `python -m tests.benchmarks.bare.floor ROLE`, with its addresses as JSON in FLOOR.
`taker` stands for the referrals' web: it commits a referral and an outbox row, and answers the
question about it. `relay` publishes with confirms to a quorum queue, `follower` asks the taker,
then commits what a GET of `shower` reads. Nothing is checked, shaped, limited or counted.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import amqp
import psycopg
import urllib3

EXCHANGE, QUEUE = "floor.events", "floor.referral"
SUBMIT, SHORTLIST = "/api/referrals/referrals", "/api/matching/referrals/"
TAKER_TABLES = """
    CREATE TABLE referrals (id uuid PRIMARY KEY, body jsonb NOT NULL);
    CREATE TABLE outbox (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL, body jsonb
    );
"""
FOLLOWER_TABLES = """
    CREATE TABLE matches (referral_id uuid PRIMARY KEY, state text NOT NULL, body jsonb NOT NULL);
    CREATE TABLE outbox (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL, body jsonb
    );
"""
Answer = tuple[int, Any]


def take(connection: psycopg.Connection[Any], method: str, path: str, body: bytes) -> Answer:
    if method == "POST" and path == SUBMIT:
        referral_id = str(uuid4())
        text = body.decode()
        with connection.transaction():
            insert = "INSERT INTO referrals (id, body) VALUES (%s, %s)"
            connection.execute(insert, (referral_id, text))
            _emit(connection, referral_id, '{"type": "submitted"}')
        return 201, {"id": referral_id}
    query = "SELECT id::text, body FROM referrals WHERE id = ANY (%s::uuid[])"
    rows = connection.execute(query, (json.loads(body)["ids"],)).fetchall()
    return 200, {"needs": [{"referral_id": row[0], **row[1]} for row in rows]}


def show(connection: psycopg.Connection[Any], _method: str, path: str, _body: bytes) -> Answer:
    query = "SELECT body FROM matches WHERE referral_id = %s"
    row = connection.execute(query, (path.split("/")[-2],)).fetchone()
    return (200, row[0]) if row else (404, {})


def _emit(connection: psycopg.Connection[Any], about: str, body: str) -> None:
    connection.execute("INSERT INTO outbox (id, body) VALUES (%s, %s)", (about, body))
    connection.execute("SELECT pg_notify('outbox', '')")


def serve(
    port: int, dsn: str, answer: Callable[[psycopg.Connection[Any], str, str, bytes], Answer]
) -> None:
    """HTTP with one thread and one database connection for each connection."""
    local = threading.local()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if not hasattr(local, "connection"):
                local.connection = psycopg.connect(dsn, autocommit=True)
            length = int(self.headers.get("Content-Length", 0))
            status, body = answer(
                local.connection, self.command, self.path, self.rfile.read(length)
            )
            content = json.dumps(body).encode()
            head = f"HTTP/1.1 {status} Bare\r\nContent-Type: application/json\r\n"
            self.wfile.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

        do_POST = do_GET  # noqa: N815  the name that http.server looks for

        def log_message(self, *_: Any) -> None:
            """Nothing is written."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def relay(dsn: str, broker: dict[str, Any]) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection, amqp.Connection(**broker) as link:
        connection.execute("LISTEN outbox")
        channel = link.channel()
        channel.confirm_select()
        while True:
            rows = connection.execute("SELECT position, id::text FROM outbox ORDER BY 1").fetchall()
            for _, referral_id in rows:
                message = amqp.Message(referral_id, delivery_mode=2)
                # py-amqp waits for the confirm of each.
                channel.basic_publish_confirm(message, EXCHANGE, "referral.submitted")
            if rows:
                sent = [row[0] for row in rows]
                connection.execute("DELETE FROM outbox WHERE position = ANY (%s)", (sent,))
            else:
                for _ in connection.notifies(timeout=0.25, stop_after=1):
                    pass


def follow(dsn: str, broker: dict[str, Any], taker: str) -> None:
    pool = urllib3.PoolManager()

    def handle(message: Any) -> None:
        body = json.dumps({"ids": [message.body]})
        need = json.loads(pool.request("POST", f"{taker}/internal/needs", body=body).data)
        with connection.transaction():
            query = "INSERT INTO matches (referral_id, state, body) VALUES (%s, %s, %s)"
            connection.execute(query, (message.body, "shortlisted", json.dumps(need)))
            _emit(connection, message.body, '{"type": "shortlisted"}')
        message.channel.basic_ack(message.delivery_tag)

    with psycopg.connect(dsn, autocommit=True) as connection, amqp.Connection(**broker) as link:
        channel = link.channel()
        channel.basic_qos(0, 200, False)
        channel.basic_consume(QUEUE, callback=handle)
        while True:
            link.drain_events()


def main(role: str) -> None:
    told = json.loads(os.environ["FLOOR"])
    if role == "taker":
        serve(told["taker_port"], told["taker"], take)
    elif role == "shower":
        serve(told["shower_port"], told["follower"], show)
    elif role == "relay":
        relay(told["taker"], told["broker"])
    else:
        follow(told["follower"], told["broker"], f"http://127.0.0.1:{told['taker_port']}")


if __name__ == "__main__":
    main(sys.argv[1])
