"""Fills what an account uses to reach people, and what came of it. Only for measuring.

Links, QR codes, menus, notices, tags, campaigns with codes, arrivals, touches of the funnel,
alarms, figures of WeChat, webhooks and subscriptions, as a busy month leaves them.
"""

import sys
import time
from datetime import timedelta
from typing import Final

import asyncpg

# $1: AppID. $2: the number of rows. A UUIDv7 begins with its time.
_UUID7: Final = """(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
                    || '7' || substr(md5({n}), 1, 3) || '8' || substr(md5({n}), 4, 15))::uuid"""
_SPREAD: Final = """(
    SELECT n, now() - interval '30 days' * (1 - n::float8 / $2) AS at FROM generate_series(1, $2) n
) AS spread"""
_DAYS: Final = "generate_series(0, 29) AS d"
_DAY: Final = "(now() AT TIME ZONE 'Asia/Shanghai')::date - d"
MINI_PROGRAM: Final = "wx00000000000000aa"
# The triggers of these tables count by day, once a statement; no other trigger of theirs is fired.
COUNTED: Final = frozenset({"notices", "subscription_events", "campaign_codes"})
# How often a code is asked for in a campaign, of its pool: one of four codes is given.
_GIVEN: Final = "n % 4 = 0"

# What fills a table, and with how many rows.
FILL: Final = (
    (
        1_000,
        f"""
        INSERT INTO links (id, slug, name, appid, path, query, env_version, revision, created_at,
                           updated_at, url_link, url_link_revision, url_link_expires_at, renew_at,
                           attempts)
        SELECT {_UUID7.format(n="'l' || n")}, left($1, 0) || 'slug' || n, 'Link ' || n,
               '{MINI_PROGRAM}', 'pages/shop/index', 'ref={{ref}}', 'release', 1, at, at,
               'https://wxaurl.cn/' || n, 1, now() + interval '20 days', now() + interval '9 days',
               0
        FROM {_SPREAD}
        """,
    ),
    (
        0,
        f"""
        INSERT INTO link_opens (link_id, day, kind, count)
        SELECT id, {_DAY}, kind, $2 + d + length($1) FROM links, {_DAYS},
               unnest(ARRAY['mini_program', 'desktop', 'fallback', 'preview']) AS kind
        """,
    ),
    (
        100_000,
        f"""
        INSERT INTO qrcodes (id, slug, name, appid, kind, scene, created_at, url, ticket,
                             expires_at, renew_at, attempts, may_exist, scans, new_follows)
        SELECT {_UUID7.format(n="'q' || n")}, 's' || n, 'Store ' || n, $1, 'temporary', 's' || n,
               at, 'http://weixin.qq.com/q/' || n, repeat('t', 96), now() + interval '20 days',
               now() + interval '13 days', 0, true, n, n / 2
        FROM {_SPREAD}
        """,
    ),
    (
        0,
        f"""
        INSERT INTO qrcode_days (qrcode_id, day, scans, new_follows)
        SELECT id, {_DAY}, $2 + d + length($1), d FROM (SELECT id FROM qrcodes LIMIT 5000) AS first,
               {_DAYS}
        """,
    ),
    (
        100_000,
        "INSERT INTO qrcode_counts (appid, kind, count) VALUES ($1, 'temporary', $2)",
    ),
    (
        500,
        f"""
        INSERT INTO menu_versions (id, appid, number, mark, state, menu, sent, left_out,
                                   created_at, finished_at, default_created, menuids, deleted_all,
                                   stop, attempts)
        SELECT {_UUID7.format(n="'m' || n")}, $1, n, 'mark' || n, 'published', menu, menu, '[]', at,
               at, true, '[]', false, false, 0
        FROM {_SPREAD}, LATERAL (
            SELECT jsonb_build_object('conditional', '[]'::jsonb, 'button',
                                      jsonb_agg(jsonb_build_object(
                'name', 'B' || b, 'sub_button', (
                    SELECT jsonb_agg(jsonb_build_object('type', 'click', 'name', 'S' || s,
                                                        'key', 'k' || b || s))
                    FROM generate_series(1, 5) AS s)))) AS menu
            FROM generate_series(1, 3) AS b
        ) AS made
        """,
    ),
    (
        500,
        """
        INSERT INTO menus (appid, draft, revision, updated_at, last_number, live_number)
        SELECT $1, menu, 1, now(), $2, $2 FROM menu_versions WHERE number = $2
        """,
    ),
    (
        500,
        f"""
        INSERT INTO menu_tap_counts (appid, day, number, position, count)
        SELECT $1, {_DAY}, $2 - 29 + d, b || '-' || s, 17
        FROM {_DAYS}, generate_series(1, 3) AS b, generate_series(1, 5) AS s
        """,
    ),
    (
        100,
        """
        INSERT INTO notice_templates (appid, template_id, kind, title, content, example,
                                      is_long_term, keys, listed_at)
        SELECT $1, 'TPL' || n, 'subscription', 'Template ' || n, '{{thing1.DATA}}', '', false,
               '[{"name": "thing1", "label": "What", "type": "thing"}]', now()
        FROM generate_series(0, $2 - 1) AS n
        """,
    ),
    (
        300,
        f"""
        INSERT INTO notice_sends (id, source, kind, appid, template_id, is_one_time, name, content,
                                  audience, state, rate, total, max_total, created_at, created_by,
                                  queued_at, ended_at)
        SELECT {_UUID7.format(n="'n' || n")}, 'audience', 'subscription', $1, 'TPL' || n % 100,
               true, 'Send ' || n, '{{}}', '{{}}', 'done', 20, 1000, 1000, at, 'owner', at, at
        FROM {_SPREAD}
        """,
    ),
    (
        300_000,
        f"""
        INSERT INTO notices (id, send_id, appid, openid, template_id, kind, status, attempts,
                             created_at, next_at, first_at, tried_at, errcode, result)
        SELECT {_UUID7.format(n="'N' || n")}, sends.ids[1 + n * 300 / ($2 + 1)], $1,
               'o' || n % 100000, 'TPL' || n % 100, 'subscription',
               (ARRAY['delivered', 'undelivered', 'failed', 'sent'])[1 + n % 4], 1, at, at, at, at,
               CASE WHEN n % 4 = 2 THEN 43101 END, CASE WHEN n % 4 = 1 THEN '1 refused' END
        FROM {_SPREAD}, (SELECT array_agg(id ORDER BY id) AS ids FROM notice_sends) AS sends
        """,
    ),
    (
        100,
        "INSERT INTO tags (appid, tag_id, name, people, listed_at) "
        "SELECT $1, 100 + n, 'Tag ' || n, 1000, now() FROM generate_series(0, $2 - 1) AS n",
    ),
    (
        200_000,
        "INSERT INTO follower_tags (appid, openid, tag_id, known_at) "
        "SELECT $1, 'o' || n / 2, 100 + n % 100, now() FROM generate_series(1, $2) AS n",
    ),
    (
        1_000,
        f"""
        INSERT INTO tag_runs (id, appid, action, tag_id, filter, key, digest, state, total, done,
                              refused, created_at, created_by, ended_at)
        SELECT {_UUID7.format(n="'t' || n")}, $1, 'tag', 100 + n % 100, '{{}}', 'k' || n, 'x',
               'done', 5000, 5000, 500, at, 'owner', at
        FROM {_SPREAD}
        """,
    ),
    (
        500,
        "INSERT INTO tag_run_people (run_id, openid, appid, errcode) "
        "SELECT id, 'o' || n, $1, 45059 FROM tag_runs, generate_series(1, $2) AS n",
    ),
    (
        100,
        f"""
        INSERT INTO campaigns (id, name, starts_at, ends_at, cost, currency, warn_below, revision,
                               created_at, updated_at)
        SELECT {_UUID7.format(n="'c' || n")}, left($1, 0) || 'Campaign ' || n,
               now() - interval '25 days', now() + interval '5 days', 5000, 'CNY', 100, 1, at, at
        FROM {_SPREAD}
        """,
    ),
    (
        20,
        """
        INSERT INTO campaign_doors (campaign_id, kind, door_id)
        SELECT c.id, 'qrcode', q.id::text
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM campaigns) AS c
        JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM qrcodes WHERE appid = $1) AS q
          ON q.n / $2 = c.n
        """,
    ),
    (
        0,
        f"""
        INSERT INTO code_imports (id, campaign_id, source, state, prefix, length, total, added,
                                  present, created_at, ended_at)
        SELECT {_UUID7.format(n="id::text || $1")}, id, 'generated', 'done', '', 16, $2, 100000, 0,
               at, at
        FROM (SELECT id, now() AS at FROM campaigns) AS spread
        """,
    ),
    (
        1_000_000,
        f"""
        INSERT INTO campaign_codes (campaign_id, code, given_at, appid, openid, door_kind, door_id,
                                    redeemed_at)
        SELECT last.id, 'CODE' || n, CASE WHEN {_GIVEN} THEN at END, CASE WHEN {_GIVEN} THEN $1 END,
               CASE WHEN {_GIVEN} THEN 'o' || n END, CASE WHEN {_GIVEN} THEN 'qrcode' END,
               CASE WHEN {_GIVEN} THEN doors.ids[1 + n % 20] END, CASE WHEN n % 8 = 0 THEN at END
        FROM {_SPREAD}, (SELECT id FROM campaigns ORDER BY id DESC LIMIT 1) AS last, LATERAL (
            SELECT array_agg(door_id ORDER BY door_id) AS ids FROM campaign_doors
            WHERE campaign_id = last.id
        ) AS doors
        """,
    ),
    (
        500_000,
        """
        INSERT INTO campaign_codes (campaign_id, code)
        SELECT c.id, 'FREE' || n
        FROM (
            SELECT id, row_number() OVER (ORDER BY id DESC) AS k, $1 AS appid FROM campaigns
        ) AS c, generate_series(1, $2 / 100) AS n
        WHERE k > 1
        """,
    ),
    (
        500_000,
        f"""
        INSERT INTO arrivals (id, kind, appid, report_key, received_at, at, openid, unionid, scene,
                              path, refs, tries, position, basis, door, account, rule_id, link_id)
        SELECT {_UUID7.format(n="'a' || n")},
               CASE WHEN n % 10 = 0 THEN 'conversion' ELSE 'launch' END, '{MINI_PROGRAM}',
               decode(md5('a' || n), 'hex'), at, at, 'm' || n % 100000, 'u' || n % 100000,
               1074, 'pages/shop/index', '{{}}', 1, n,
               CASE WHEN n % 3 = 0 THEN 'none' ELSE 'ref' END,
               CASE n % 3 WHEN 1 THEN 'reply' WHEN 2 THEN 'link' END, $1,
               CASE WHEN n % 3 = 1 THEN n % 10000 END,
               CASE WHEN n % 3 = 2 THEN links.ids[1 + n % 1000] END
        FROM {_SPREAD}, (SELECT array_agg(id ORDER BY id) AS ids FROM links) AS links
        """,
    ),
    (
        500_000,
        f"""
        INSERT INTO funnel_touches (id, source, appid, person, at, doors, matched, followed, sent,
                                    opened_after, converted_after, opened_exact, converted_exact)
        SELECT gen_random_uuid(), 'push', $1, 'o' || n % 100000, at,
               CASE WHEN n % 2 = 0 THEN ARRAY['', 'rule', 'rule:' || 1 + n % 200]
                    ELSE ARRAY[''] END,
               n % 2 = 0, false, n % 2 = 0, CASE WHEN n % 10 = 0 THEN n % 500000 END,
               CASE WHEN n % 50 = 0 THEN n % 500000 END, true, true
        FROM {_SPREAD}
        """,
    ),
    (
        100_000,
        f"""
        INSERT INTO cohort_members (appid, openid, scene, followed_at, left_after, wrote_after,
                                    arrived_after)
        SELECT $1, 'o' || n, 's' || n % 50, at, CASE WHEN n % 9 = 0 THEN 86400 END,
               CASE WHEN n % 3 = 0 THEN 600 END, CASE WHEN n % 7 = 0 THEN 3600 END
        FROM {_SPREAD}
        """,
    ),
    (
        5_000,
        f"""
        INSERT INTO alarms (id, kind, appid, subject, value, threshold, began_at, seen_at, ended_at)
        SELECT {_UUID7.format(n="'A' || n")}, 'quota', $1, 'api' || n, 95, 80, at, at,
               CASE WHEN n < $2 - 50 THEN at END
        FROM {_SPREAD}
        """,
    ),
    (
        2_000,
        f"""
        INSERT INTO chart_notes (id, appid, day, text, actor_kind, actor_name, created_at,
                                 updated_at)
        SELECT {_UUID7.format(n="'T' || n")}, $1, at::date, 'Note ' || n, 'operator', 'owner', at,
               at
        FROM {_SPREAD}
        """,
    ),
    (
        1_500,
        f"""
        INSERT INTO wechat_figures (appid, call, day, rows, read_at, alone, attempts)
        SELECT $1, call, {_DAY}, jsonb_build_array(jsonb_build_object(
                   'user_source', 0, 'new_user', 7, 'cancel_user', 2, 'msg_type', 1, 'msg_user', 9,
                   'msg_count', $2::bigint)), now(), false, 0
        FROM {_DAYS}, unnest(ARRAY['getusersummary', 'getupstreammsg']) AS call
        """,
    ),
    (
        1_300,
        f"""
        INSERT INTO push_days (appid, day, covered, follows, unfollows, qr_follows, texts, images,
                               voices, videos, links, pushes, refused, hours, silences, counted_at)
        SELECT $1, {_DAY}, true, 7, 2, 5, $2, 0, 0, 0, 0, $2, 0, '[]', '[]', now() FROM {_DAYS}
        """,
    ),
    (
        100,
        f"""
        INSERT INTO webhooks (id, url, description, types, enabled, secret, cursor, created_at,
                              updated_at)
        SELECT {_UUID7.format(n="'w' || n")}, 'https://h' || n || '.example.com/' || $1,
               'Hook ' || n, '{{*}}', true, 'x', 0, at, at
        FROM {_SPREAD}
        """,
    ),
    (
        1_000,
        """
        INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, position, status, attempts,
                                        status_code, created_at, finished_at)
        SELECT gen_random_uuid(), id, gen_random_uuid(), 'follow.created', n,
               CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'delivered' END, 1, 200 + length($1) * 0,
               now(), now()
        FROM webhooks, generate_series(1, $2) AS n
        """,
    ),
    (
        200_000,
        f"""
        INSERT INTO subscription_events (id, callback_id, appid, openid, unionid, action,
                                         template_id, status, occurred_at, position)
        SELECT gen_random_uuid(), gen_random_uuid(), $1, 'o' || n % 100000, 'u' || n % 100000,
               'popup', 'TPL' || n % 100, 'accept', at, 10000000 + n
        FROM {_SPREAD}
        """,
    ),
    (
        100_000,
        """
        INSERT INTO consents (appid, openid, unionid, template_id, state, accepted, delivered,
                              decided_at, decided_id)
        SELECT $1, 'o' || n, 'u' || n, 'TPL' || n % 100, 'accept', 2, 1, now(), gen_random_uuid()
        FROM generate_series(1, $2) AS n
        """,
    ),
)
IDS: Final = {
    "link": "SELECT id FROM links ORDER BY id DESC LIMIT 1",
    "qrcode": "SELECT door_id FROM campaign_doors ORDER BY campaign_id DESC LIMIT 1",
    "campaign": "SELECT id FROM campaigns ORDER BY id DESC LIMIT 1",
    "send": "SELECT id FROM notice_sends ORDER BY id DESC LIMIT 1",
    "run": "SELECT id FROM tag_runs ORDER BY id DESC LIMIT 1",
    "webhook": "SELECT id FROM webhooks ORDER BY id DESC LIMIT 1",
}
_SECONDS: Final = timedelta(hours=1).total_seconds()


async def fill(connection: asyncpg.Connection, appid: str) -> dict[str, str]:
    """Fill the tables; return ids that stand in addresses."""
    for rows, statement in FILL:
        began = time.monotonic()
        table = statement.split()[2]
        # Triggers would note each row for counts that are filled themselves.
        role = "origin" if table in COUNTED else "replica"
        await connection.execute(f"SET session_replication_role = {role}")
        await connection.execute(statement, appid, rows, timeout=_SECONDS)
        print(f"{table}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("VACUUM ANALYZE", timeout=_SECONDS)
    return {name: str(await connection.fetchval(query)) for name, query in IDS.items()}
