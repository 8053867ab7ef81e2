"""Fills a database as an account of some size leaves it after a month. Only for measuring."""

import sys
import time
from typing import Final

import asyncpg

# $1: rows, spread over the last 30 days. $2: AppID. $3: followers. A UUIDv7 begins with its time.
_UUID7: Final = """(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
                    || '7' || substr(md5({n}), 1, 3) || '8' || substr(md5({n}), 4, 15))::uuid"""
_SPREAD: Final = """
    SELECT n, now() - interval '30 days' * (1 - n::float8 / $1) AS at FROM generate_series(1, $1) n
"""

FILL: Final = {
    "callbacks": f"""
        INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, event, occurred_at,
                               received_at, payload, rule_id)
        SELECT {_UUID7.format(n="n::text")}, $2,
               substr(int8send(extract(epoch FROM at)::bigint), 5) || decode(md5(n::text), 'hex'),
               'o' || n % $3, 'text',
               NULL, at, at,
               jsonb_build_object('ToUserName', 'gh_1', 'FromUserName', 'o' || n % $3,
                                  'MsgType', 'text', 'Content', 'what is ' || n % 5000),
               CASE WHEN n % 2 = 0 THEN n % 10000 + 1 END
        FROM ({_SPREAD}) AS spread
    """,
    "replies": f"""
        INSERT INTO replies (id, callback_id, position, appid, openid, rule_id, via, msgtype,
                             content, status, attempts, errcode, errmsg, created_at, sent_at)
        SELECT {_UUID7.format(n="'r' || n")}, {_UUID7.format(n="n::text")}, 0, $2, 'o' || n % $3,
               n % 10000 + 1, 'customer_service', 'miniprogrampage',
               '{{"msgtype": "miniprogrampage", "appid": "wx0123456789abcdef"}}',
               CASE WHEN n % 100 = 0 THEN 'failed' ELSE 'sent' END, 1,
               CASE WHEN n % 100 = 0 THEN 45015 END, CASE WHEN n % 100 = 0 THEN 'refused' END,
               at, CASE WHEN n % 100 = 0 THEN NULL ELSE at END
        FROM ({_SPREAD}) AS spread WHERE n % 2 = 0
    """,
    "follow_events": f"""
        INSERT INTO follow_events (id, appid, openid, unionid, action, scene, occurred_at, position)
        SELECT gen_random_uuid(), $2, 'o' || n % $3, 'u' || n % $3,
               CASE WHEN n % 3 < 2 THEN 'follow' ELSE 'unfollow' END, 's' || n % 50, at, n
        FROM ({_SPREAD}) AS spread WHERE n % 5 = 0
    """,
    "followers": f"""
        INSERT INTO followers (appid, openid, unionid, following, followed_at, followed_id, scene,
                               last_at, last_id, position)
        SELECT $2, 'o' || n, 'u' || n, n % 10 < 8, at, gen_random_uuid(), 's' || n % 50, at,
               gen_random_uuid(), n
        FROM ({_SPREAD}) AS spread WHERE n < $3
    """,
    "openids": f"""
        INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at, resolve_state)
        SELECT $2, 'o' || n, 'u' || n, at, at, 'resolved'
        FROM ({_SPREAD}) AS spread WHERE n < $3
    """,
    "audit_log": f"""
        INSERT INTO audit_log (occurred_at, actor_kind, actor_name, action, subject_kind,
                               subject_id)
        SELECT at, 'operator', 'name ' || n % 20 || left($2, $3 * 0), 'rule.change', 'rule',
               (n % 10000)::text
        FROM ({_SPREAD}) AS spread WHERE n % 10 = 0
    """,
}


async def fill(connection: asyncpg.Connection, table: str, *values: object) -> None:
    """Fill a table and create its indexes afterwards, which is much faster."""
    indexes = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = $1 "
        "AND indexname NOT LIKE 'pk_%'",
        table,
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['indexname']}")
    began = time.monotonic()
    await connection.execute(FILL[table], *values, timeout=3600)
    for index in indexes:
        await connection.execute(index["indexdef"], timeout=3600)
    await connection.execute(f"VACUUM ANALYZE {table}", timeout=3600)
    print(f"{table}: {time.monotonic() - began:.0f} s", file=sys.stderr)
