"""What refs lead to, against a search that computes the ref of every reply."""

import random
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from app import refs
from app.arrivals.find_refs import doors_of
from app.db.engine import Database
from app.first_id import first_id
from tests.service import APPID, Service

REPLY = """
INSERT INTO replies (id, callback_id, position, appid, openid, rule_id, via, msgtype, content,
                     status, created_at, sent_at)
SELECT id, gen_random_uuid(), 0, $2, 'o' || n, n, 'customer_service', 'text', '{}', 'sent', $3, $3
FROM unnest($1::uuid[]) WITH ORDINALITY AS r(id, n)
"""
PASSIVE = """
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload,
                       passive_id)
SELECT gen_random_uuid(), $2, int4send(0) || uuid_send(gen_random_uuid()), 'o', 'text',
       $3, $3, '{}', id
FROM unnest($1::uuid[]) AS r(id)
"""
# Of 34 bits that a ref has of an id, these are the first.
FIRST_BITS = (32, 33)


def ids_of(second: datetime, choose: random.Random) -> list[UUID]:
    """Return ids of one second: some at random, and some that differ in one bit of the ref."""
    number = first_id(second).int | 7 << 76 | 0b10 << 62
    some = [number | choose.getrandbits(60) for _ in range(20)]
    twins = [one ^ 1 << bit for one in some[:5] for bit in FIRST_BITS]
    # The lowest and the highest id of the second.
    edges = [number, number | (1 << 60) - 1]
    return [UUID(int=one) for one in {*some, *twins, *edges}]


async def test_every_ref_leads_to_its_own_reply_and_a_guess_to_none(
    service: Service, database: Database, connection: asyncpg.Connection
) -> None:
    choose = random.Random(4)  # noqa: S311 - the same ids in each run
    now = service.clock.now().replace(microsecond=0)
    seconds = [now - timedelta(seconds=n) for n in (0, 1, 2, 600)]
    ids = [one for second in seconds for one in ids_of(second, choose)]
    choose.shuffle(ids)
    half = len(ids) // 2
    await connection.execute(REPLY, ids[:half], APPID, now)
    await connection.execute(PASSIVE, ids[half:], APPID, now)
    reference = {refs.of_reply(one): one for one in ids} | {one.hex: one for one in ids}
    guesses = {refs.of_reply(uuid4()) for _ in range(50)} | {uuid4().hex for _ in range(5)}

    async with database.sessions() as session:
        found = await doors_of(session, [*reference, *guesses], now + timedelta(minutes=10))

    assert {ref: one.door.reply_id for ref, one in found.items()} == reference
