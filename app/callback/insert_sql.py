"""The statement that stores a batch of callbacks with all that follows from them.

One statement on purpose: every round trip more is latency for a lone callback and CPU for
all. It is the only place that writes more than one room's tables. Locks are taken in one
order everywhere: rule_firings by key, callbacks by (appid, dedupe_key), then openids by key,
then what belongs to a person: send_windows, followers, consents. A reply that is locked is being
delivered and is passed over; the sweep looks at it again.

Whatever may be from before its sender was erased, or name somebody who was, is noted as late and
looked at by a job: of a push that no person sends nothing is known here. Whom a push names is what
the database function `oa_bridge_named` returns. The rows of the history get their positions from
the column default `oa_bridge_next_position`.

It is made of parts, and a batch gets those that it needs alone: what stands in a statement costs
the database its share each time, also where no row is concerned. `$1` is the moment; each array of
the parts is a parameter more.
"""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the statement. sql: has `{arrays}` where its parameters stand.

    types: of what is in the arrays, in their order.
    """

    sql: str
    types: str


_CALLBACKS = Part(
    types="uuid text bytea text text text timestamptz timestamptz text bool bool bigint"
    " text uuid text bigint timestamptz",
    sql="""
WITH incoming AS (
    SELECT * FROM unnest({arrays}) AS t(
        id, appid, dedupe_key, openid, msgtype, event, occurred_at, received_at, payload,
        person, asks, rule_id, passive, passive_id, passive_msgtype, passive_rule_id,
        messaged_at
    )
), fresh AS (
    INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, event, occurred_at,
                           received_at, payload, rule_id, passive, passive_id, passive_msgtype,
                           passive_rule_id)
    SELECT id, appid, dedupe_key, openid, msgtype, event, occurred_at,
           received_at, payload::jsonb, rule_id, passive::jsonb, passive_id, passive_msgtype,
           passive_rule_id
    FROM incoming ORDER BY appid, dedupe_key, id
    ON CONFLICT (appid, dedupe_key) DO NOTHING
    RETURNING id
), news AS (
    SELECT incoming.* FROM incoming JOIN fresh USING (id)
), seen AS (
    INSERT INTO openids AS o (appid, openid, first_seen_at, last_seen_at, messaged_at,
                              resolve_state, resolve_reason, resolve_next_at)
    SELECT appid, openid, min(occurred_at), max(occurred_at), max(messaged_at),
           CASE WHEN bool_or(asks) THEN 'pending' ELSE 'unavailable' END,
           CASE WHEN bool_or(asks) THEN NULL ELSE 'not_an_oa' END,
           CASE WHEN bool_or(asks) THEN max(received_at) END
    FROM news WHERE person GROUP BY appid, openid ORDER BY appid, openid
    ON CONFLICT (appid, openid) DO UPDATE SET
        first_seen_at = LEAST(o.first_seen_at, EXCLUDED.first_seen_at),
        last_seen_at = GREATEST(o.last_seen_at, EXCLUDED.last_seen_at),
        messaged_at = CASE WHEN EXCLUDED.messaged_at <= o.erased_until THEN o.messaged_at
                           ELSE GREATEST(o.messaged_at, EXCLUDED.messaged_at) END,
        resolve_state = CASE WHEN o.resolve_reason IN ('not_following', 'bad_openid')
                             THEN EXCLUDED.resolve_state ELSE o.resolve_state END,
        resolve_next_at = CASE WHEN o.resolve_reason IN ('not_following', 'bad_openid')
                               THEN EXCLUDED.resolve_next_at ELSE o.resolve_next_at END,
        resolve_reason = CASE WHEN o.resolve_reason IN ('not_following', 'bad_openid')
                              THEN EXCLUDED.resolve_reason ELSE o.resolve_reason END
    RETURNING appid, openid, unionid, erased_until, revoked, o.xmax = 0 AS new,
              resolve_state = 'pending' AND resolve_next_at <= $1 AS due
), late AS (
    INSERT INTO late_pushes (callback_id)
    SELECT news.id FROM news LEFT JOIN seen USING (appid, openid)
    WHERE seen.new IS NULL OR news.occurred_at <= seen.erased_until OR seen.revoked IS NOT NULL
       OR (EXISTS (SELECT FROM erased_people) OR EXISTS (SELECT FROM erased_unionids))
          AND (seen.new OR oa_bridge_named(news.msgtype, news.payload::jsonb) IS NOT NULL)
    RETURNING callback_id
)
""",
)

# Windows that actions of followers opened. That of a message has a row only if a reply is queued.
WINDOWS = Part(
    types="uuid text timestamptz bigint",
    sql="""
, opening AS (
    SELECT n.appid, n.openid, n.occurred_at, w.trigger, w.until, w.sends
    FROM unnest({arrays}) AS w(callback_id, trigger, until, sends)
    JOIN news n ON n.id = w.callback_id
), opened AS (
    INSERT INTO send_windows AS w (appid, openid, trigger, opened_at, expires_at, sends_left)
    SELECT appid, openid, trigger, max(occurred_at), max(until), max(sends)
    FROM opening GROUP BY appid, openid, trigger ORDER BY appid, openid, trigger
    ON CONFLICT (appid, openid, trigger) DO UPDATE SET
        opened_at = EXCLUDED.opened_at,
        expires_at = EXCLUDED.expires_at,
        sends_left = EXCLUDED.sends_left
    WHERE EXCLUDED.opened_at >= w.opened_at
)
""",
)

# Replies that have rows of their own: those in the response stand with their push.
REPLIES = Part(
    types="uuid uuid bigint text text text text timestamptz bigint text",
    sql="""
, answered AS (
    INSERT INTO replies (id, callback_id, position, appid, openid, rule_id, via, msgtype,
                         content, status, errmsg, created_at, expires_at)
    SELECT r.id, n.id, r.position, n.appid, n.openid, r.rule_id, r.via, r.msgtype,
           r.content::jsonb, r.status, r.errmsg, n.received_at, r.expires_at
    FROM unnest({arrays})
         AS r(id, callback_id, position, via, msgtype, content, status, expires_at, rule_id,
              errmsg)
    JOIN news n ON n.id = r.callback_id
    -- The id follows from the push: one that was erased and comes again from an old spool has it.
    ON CONFLICT (id) DO NOTHING
)
""",
)

# The states come out the same in whatever order, batches and number of copies their events
# arrive: the latest by (occurred_at, id) decides, and each event is counted once, since only a
# fresh callback gets here.
FOLLOWS = Part(
    types="uuid text text text",
    sql="""
, follows AS (
    SELECT n.*, f.follow_action, f.scene, f.ticket
    FROM unnest({arrays}) AS f(callback_id, follow_action, scene, ticket)
    JOIN news n ON n.id = f.callback_id
), followed AS (
    INSERT INTO follow_events (id, callback_id, appid, openid, unionid, action, scene, ticket,
                               occurred_at)
    SELECT n.id, n.id, n.appid, n.openid, seen.unionid, n.follow_action, n.scene, n.ticket,
           n.occurred_at
    FROM follows n LEFT JOIN seen USING (appid, openid) ORDER BY n.id
), moved AS (
    SELECT appid, openid,
           (array_agg(follow_action ORDER BY occurred_at DESC, id DESC))[1] = 'follow'
               AS following,
           max(occurred_at) AS last_at,
           (array_agg(id ORDER BY occurred_at DESC, id DESC))[1] AS last_id,
           max(occurred_at) FILTER (WHERE follow_action = 'follow') AS followed_at,
           (array_agg(id ORDER BY occurred_at DESC, id DESC)
               FILTER (WHERE follow_action = 'follow'))[1] AS followed_id,
           (array_agg(scene ORDER BY occurred_at DESC, id DESC)
               FILTER (WHERE follow_action = 'follow'))[1] AS scene,
           max(occurred_at) FILTER (WHERE follow_action = 'unfollow') AS unfollowed_at
    FROM follows WHERE follow_action IN ('follow', 'unfollow')
    GROUP BY appid, openid
), following AS (
    INSERT INTO followers AS f (appid, openid, unionid, following, last_at, last_id,
                                followed_at, followed_id, scene, how, unfollowed_at)
    SELECT appid, openid, seen.unionid, following, last_at, last_id, followed_at, followed_id,
           scene, CASE WHEN scene IS NOT NULL THEN 'ADD_SCENE_QR_CODE' END, unfollowed_at
    FROM moved JOIN seen USING (appid, openid) ORDER BY appid, openid
    ON CONFLICT (appid, openid) DO UPDATE SET
        unionid = COALESCE(EXCLUDED.unionid, f.unionid),
        following = CASE WHEN (EXCLUDED.last_at, EXCLUDED.last_id) > (f.last_at, f.last_id)
                         THEN EXCLUDED.following ELSE f.following END,
        source = CASE WHEN (EXCLUDED.last_at, EXCLUDED.last_id) > (f.last_at, f.last_id)
                      THEN EXCLUDED.source ELSE f.source END,
        last_at = GREATEST(EXCLUDED.last_at, f.last_at),
        last_id = CASE WHEN (EXCLUDED.last_at, EXCLUDED.last_id) > (f.last_at, f.last_id)
                       THEN EXCLUDED.last_id ELSE f.last_id END,
        followed_at = GREATEST(EXCLUDED.followed_at, f.followed_at),
        followed_id = CASE WHEN f.followed_at IS NULL
                 OR (EXCLUDED.followed_at, EXCLUDED.followed_id) > (f.followed_at, f.followed_id)
            THEN EXCLUDED.followed_id ELSE f.followed_id END,
        scene = CASE WHEN f.followed_at IS NULL
                 OR (EXCLUDED.followed_at, EXCLUDED.followed_id) > (f.followed_at, f.followed_id)
            THEN EXCLUDED.scene ELSE f.scene END,
        how = CASE WHEN f.followed_at IS NULL
                 OR (EXCLUDED.followed_at, EXCLUDED.followed_id) > (f.followed_at, f.followed_id)
            THEN EXCLUDED.how ELSE f.how END,
        unfollowed_at = GREATEST(EXCLUDED.unfollowed_at, f.unfollowed_at)
), leaving AS (
    SELECT waiting.id FROM follows CROSS JOIN LATERAL (
        SELECT id FROM replies r
        WHERE r.appid = follows.appid AND r.openid = follows.openid
          AND r.status IN ('pending', 'held') AND r.created_at <= follows.received_at
        ORDER BY id DESC LIMIT 100 FOR UPDATE SKIP LOCKED
    ) waiting WHERE follows.follow_action = 'unfollow'
), gone AS (
    UPDATE replies SET status = 'skipped', errmsg = 'the follower has left'
    WHERE id IN (SELECT id FROM leaving)
), closed AS (
    DELETE FROM send_windows USING follows
    WHERE follows.follow_action = 'unfollow' AND send_windows.appid = follows.appid
      AND send_windows.openid = follows.openid
      AND send_windows.opened_at <= follows.occurred_at
)
""",
)

# The state of a consent follows from its events as that of a follower does.
SUBSCRIPTIONS = Part(
    types="uuid uuid text text text text text text",
    sql="""
, told AS (
    SELECT s.*, n.appid, n.openid, n.occurred_at
    FROM unnest({arrays})
         AS s(id, callback_id, action, template_id, status, popup_scene, msgid, error_code)
    JOIN news n ON n.id = s.callback_id
), subscribed AS (
    INSERT INTO subscription_events (id, callback_id, appid, openid, unionid, action,
                                     template_id, status, popup_scene, msgid, error_code,
                                     occurred_at)
    SELECT id, callback_id, appid, openid, seen.unionid, action,
           template_id, status, popup_scene, msgid, error_code, occurred_at
    FROM told LEFT JOIN seen USING (appid, openid) ORDER BY id
), decided AS (
    SELECT appid, openid, template,
           (array_agg(status ORDER BY occurred_at DESC, id DESC) FILTER (WHERE decides))[1]
               AS state,
           max(occurred_at) FILTER (WHERE decides) AS decided_at,
           (array_agg(id ORDER BY occurred_at DESC, id DESC) FILTER (WHERE decides))[1]
               AS decided_id,
           count(*) FILTER (WHERE action = 'popup' AND status = 'accept') AS accepted,
           count(*) FILTER (WHERE action = 'sent' AND error_code = '0') AS delivered
    FROM (
        SELECT *, action <> 'sent' AND status IN ('accept', 'reject', 'ban') AS decides,
               -- The primary key of consents holds it, and must not be too long for an index.
               CASE WHEN length(template_id) <= 128 THEN template_id
                    ELSE 'sha256:' || encode(sha256(convert_to(template_id, 'UTF8')), 'hex')
               END AS template
        FROM told
    ) AS told
    WHERE template_id <> '' AND (decides OR error_code = '0')
    GROUP BY appid, openid, template
), consenting AS (
    INSERT INTO consents AS c (appid, openid, template_id, unionid, state, decided_at,
                               decided_id, accepted, delivered)
    SELECT appid, openid, template, seen.unionid, state, decided_at,
           decided_id, accepted, delivered
    FROM decided JOIN seen USING (appid, openid) ORDER BY appid, openid, template
    ON CONFLICT (appid, openid, template_id) DO UPDATE SET
        unionid = COALESCE(EXCLUDED.unionid, c.unionid),
        state = CASE WHEN c.decided_at IS NULL
                 OR (EXCLUDED.decided_at, EXCLUDED.decided_id) > (c.decided_at, c.decided_id)
            THEN EXCLUDED.state ELSE c.state END,
        decided_id = CASE WHEN c.decided_at IS NULL
                 OR (EXCLUDED.decided_at, EXCLUDED.decided_id) > (c.decided_at, c.decided_id)
            THEN EXCLUDED.decided_id ELSE c.decided_id END,
        decided_at = GREATEST(EXCLUDED.decided_at, c.decided_at),
        accepted = c.accepted + EXCLUDED.accepted,
        delivered = c.delivered + EXCLUDED.delivered
)
""",
)

# Only a batch with a tap on a menu has this part. A tap is counted by the worker.
TAPS = frozenset(
    {"CLICK", "VIEW", "view_miniprogram", "scancode_push", "scancode_waitmsg", "pic_sysphoto"}
    | {"pic_photo_or_album", "pic_weixin", "location_select"}
)
WITH_TAPS = Part(
    types="",
    sql="""
, tapped AS (
    INSERT INTO menu_taps (callback_id, appid, event, event_key, menu_id, occurred_at)
    SELECT id, appid, event, payload::jsonb ->> 'EventKey',
           COALESCE(payload::jsonb ->> 'MenuId', payload::jsonb ->> 'MenuID'), occurred_at
    FROM news WHERE event IN (
        'CLICK', 'VIEW', 'view_miniprogram', 'scancode_push', 'scancode_waitmsg', 'pic_sysphoto',
        'pic_photo_or_album', 'pic_weixin', 'location_select'
    )
)
""",
)

_ANSWER = """
SELECT (SELECT array_agg(id) FROM fresh) AS fresh,
       (SELECT array_agg(DISTINCT appid) FROM seen WHERE due) AS to_resolve,
       (SELECT array_agg(ARRAY[appid, openid]) FROM seen WHERE EXISTS (
            SELECT FROM replies r
            WHERE r.appid = seen.appid AND r.openid = seen.openid AND r.status = 'held'
        )) AS held,
       EXISTS (SELECT FROM late) AS late
"""


@cache
def statement(*parts: Part) -> str:
    """Return the statement with these parts. `$1` is the moment, then come the arrays."""
    number = 1
    text = ""
    for part in (_CALLBACKS, *parts):
        arrays = [f"${number + n}::{kind}[]" for n, kind in enumerate(part.types.split(), 1)]
        number += len(arrays)
        text += part.sql.replace("{arrays}", ", ".join(arrays))
    return text + _ANSWER


# A statement by itself, since hardly ever a reply waits for its follower to write.
WAKE = """
UPDATE replies SET status = 'pending' WHERE id IN (
    SELECT waiting.id FROM unnest($1::text[], $2::text[]) AS person(appid, openid)
    CROSS JOIN LATERAL (
        SELECT id FROM replies r
        WHERE r.appid = person.appid AND r.openid = person.openid AND r.status = 'held'
        LIMIT 100 FOR UPDATE SKIP LOCKED
    ) waiting
)
RETURNING callback_id, appid
"""
