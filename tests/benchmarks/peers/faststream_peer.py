"""FastStream on uvloop with psycopg's async pool; prefetch bounds how many events it handles."""

from datetime import UTC, datetime
from typing import Any

import uvloop
from faststream import AckPolicy, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue
from psycopg_pool import AsyncConnectionPool

from tests.benchmarks.peers import work

broker = RabbitBroker(
    work.BROKER, logger=None, default_channel=Channel(prefetch_count=work.CONCURRENCY)
)
app = FastStream(broker)
pool = AsyncConnectionPool(
    work.DSN, min_size=work.CONCURRENCY, max_size=work.CONCURRENCY, open=False
)


@app.on_startup
async def open_pool() -> None:
    await pool.open(wait=True)


@app.after_shutdown
async def close_pool() -> None:
    await pool.close()


@broker.subscriber(
    RabbitQueue(work.QUEUE, durable=True, queue_type=QueueType.QUORUM),
    ack_policy=AckPolicy.NACK_ON_ERROR,
)
async def activate(event: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    async with pool.connection() as connection:
        if (await connection.execute(work.ENTER, work.entered(event))).rowcount:
            changed = await connection.execute(work.ACTIVATE, work.activated(event, now))
            match = await changed.fetchone()
            if match:
                await connection.execute(work.EMIT, work.emitted(match, now))


if __name__ == "__main__":
    uvloop.run(app.run())
