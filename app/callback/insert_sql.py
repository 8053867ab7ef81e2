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

Parameters: $1 to $22 one array per column of `Record`, $23 to $32 of `NewReply`, $33 the moment,
and in the statements with history alone $34 to $41 of `NewSubscription`.
"""

_MESSAGES = """
WITH incoming AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[],
        $7::timestamptz[], $8::timestamptz[], $9::text[], $10::bool[], $11::bool[],
        $12::bigint[], $13::text[], $14::text[], $15::timestamptz[], $16::bigint[],
        $17::text[], $18::text[], $19::text[], $20::uuid[], $21::text[], $22::bigint[]
    ) AS t(
        id, appid, dedupe_key, openid, msgtype, event,
        occurred_at, received_at, payload, person, asks,
        rule_id, passive, trigger, window_until, window_sends,
        follow_action, scene, ticket, passive_id, passive_msgtype, passive_rule_id
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
    INSERT INTO openids AS o (appid, openid, first_seen_at, last_seen_at,
                              resolve_state, resolve_reason, resolve_next_at)
    SELECT appid, openid, min(occurred_at), max(occurred_at),
           CASE WHEN bool_or(asks) THEN 'pending' ELSE 'unavailable' END,
           CASE WHEN bool_or(asks) THEN NULL ELSE 'not_an_oa' END,
           CASE WHEN bool_or(asks) THEN max(received_at) END
    FROM news WHERE person GROUP BY appid, openid ORDER BY appid, openid
    ON CONFLICT (appid, openid) DO UPDATE SET
        first_seen_at = LEAST(o.first_seen_at, EXCLUDED.first_seen_at),
        last_seen_at = GREATEST(o.last_seen_at, EXCLUDED.last_seen_at),
        resolve_state = CASE WHEN o.resolve_reason IN ('not_following', 'bad_openid')
                             THEN EXCLUDED.resolve_state ELSE o.resolve_state END,
        resolve_next_at = CASE WHEN o.resolve_reason IN ('not_following', 'bad_openid')
                               THEN EXCLUDED.resolve_next_at ELSE o.resolve_next_at END,
        resolve_reason = CASE WHEN o.resolve_reason IN ('not_following', 'bad_openid')
                              THEN EXCLUDED.resolve_reason ELSE o.resolve_reason END
    RETURNING appid, openid, unionid, erased_until, revoked, o.xmax = 0 AS new,
              resolve_state = 'pending' AND resolve_next_at <= $33 AS due
), late AS (
    INSERT INTO late_pushes (callback_id)
    SELECT news.id FROM news LEFT JOIN seen USING (appid, openid)
    WHERE seen.new IS NULL OR news.occurred_at <= seen.erased_until OR seen.revoked IS NOT NULL
       OR (EXISTS (SELECT FROM erased_people) OR EXISTS (SELECT FROM erased_unionids))
          AND (seen.new OR oa_bridge_named(news.msgtype, news.payload::jsonb) IS NOT NULL)
    RETURNING callback_id
), opened AS (
    INSERT INTO send_windows AS w (appid, openid, trigger, opened_at, expires_at, sends_left)
    SELECT appid, openid, trigger, max(occurred_at), max(window_until), max(window_sends)
    FROM news WHERE trigger IS NOT NULL
    GROUP BY appid, openid, trigger ORDER BY appid, openid, trigger
    ON CONFLICT (appid, openid, trigger) DO UPDATE SET
        opened_at = EXCLUDED.opened_at,
        expires_at = EXCLUDED.expires_at,
        sends_left = EXCLUDED.sends_left
    WHERE EXCLUDED.opened_at >= w.opened_at
    RETURNING appid, openid
), answered AS (
    INSERT INTO replies (id, callback_id, position, appid, openid, rule_id, via, msgtype,
                         content, status, errmsg, created_at, expires_at)
    SELECT r.id, n.id, r.position, n.appid, n.openid, r.rule_id, r.via, r.msgtype,
           r.content::jsonb, r.status, r.errmsg, n.received_at, r.expires_at
    FROM unnest($23::uuid[], $24::uuid[], $25::bigint[], $26::text[], $27::text[], $28::text[],
                $29::text[], $30::timestamptz[], $31::bigint[], $32::text[])
         AS r(id, callback_id, position, via, msgtype, content, status, expires_at, rule_id,
              errmsg)
    JOIN news n ON n.id = r.callback_id
    -- The id follows from the push: one that was erased and comes again from an old spool has it.
    ON CONFLICT (id) DO NOTHING
), waking AS (
    SELECT waiting.id FROM opened CROSS JOIN LATERAL (
        SELECT id FROM replies r
        WHERE r.appid = opened.appid AND r.openid = opened.openid AND r.status = 'held'
        LIMIT 100 FOR UPDATE SKIP LOCKED
    ) waiting
), woken AS (
    UPDATE replies SET status = 'pending' WHERE id IN (SELECT id FROM waking)
    RETURNING callback_id, appid
)
"""

# The states come out the same in whatever order, batches and number of copies their events
# arrive: the latest by (occurred_at, id) decides, and each event is counted once, since only a
# fresh callback gets here.
_HISTORY = """
, followed AS (
    INSERT INTO follow_events (id, callback_id, appid, openid, unionid, action, scene, ticket,
                               occurred_at)
    SELECT n.id, n.id, n.appid, n.openid, seen.unionid, n.follow_action, n.scene, n.ticket,
           n.occurred_at
    FROM news n LEFT JOIN seen USING (appid, openid)
    WHERE n.follow_action IS NOT NULL ORDER BY n.id
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
    FROM news WHERE follow_action IN ('follow', 'unfollow')
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
), told AS (
    SELECT s.*, n.appid, n.openid, n.occurred_at
    FROM unnest($34::uuid[], $35::uuid[], $36::text[], $37::text[], $38::text[], $39::text[],
                $40::text[], $41::text[])
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
), leaving AS (
    SELECT waiting.id FROM news CROSS JOIN LATERAL (
        SELECT id FROM replies r
        WHERE r.appid = news.appid AND r.openid = news.openid
          AND r.status IN ('pending', 'held') AND r.created_at <= news.received_at
        ORDER BY id DESC LIMIT 100 FOR UPDATE SKIP LOCKED
    ) waiting WHERE news.follow_action = 'unfollow'
), gone AS (
    UPDATE replies SET status = 'skipped', errmsg = 'the follower has left'
    WHERE id IN (SELECT id FROM leaving)
), closed AS (
    DELETE FROM send_windows USING news
    WHERE news.follow_action = 'unfollow' AND send_windows.appid = news.appid
      AND send_windows.openid = news.openid AND send_windows.opened_at <= news.occurred_at
)
"""

# Only a batch with a tap on a menu has this part. A tap is counted by the worker.
TAPS = frozenset(
    {"CLICK", "VIEW", "view_miniprogram", "scancode_push", "scancode_waitmsg", "pic_sysphoto"}
    | {"pic_photo_or_album", "pic_weixin", "location_select"}
)
_TAPS = """
, tapped AS (
    INSERT INTO menu_taps (callback_id, appid, event, event_key, menu_id, occurred_at)
    SELECT id, appid, event, payload::jsonb ->> 'EventKey',
           COALESCE(payload::jsonb ->> 'MenuId', payload::jsonb ->> 'MenuID'), occurred_at
    FROM news WHERE event IN (
        'CLICK', 'VIEW', 'view_miniprogram', 'scancode_push', 'scancode_waitmsg', 'pic_sysphoto',
        'pic_photo_or_album', 'pic_weixin', 'location_select'
    )
)
"""

_ANSWER = """
SELECT (SELECT array_agg(id) FROM fresh) AS fresh,
       (SELECT array_agg(DISTINCT appid) FROM seen WHERE due) AS to_resolve,
       (SELECT array_agg(ARRAY[callback_id::text, appid])
        FROM (SELECT DISTINCT callback_id, appid FROM woken) callbacks) AS woken,
       EXISTS (SELECT FROM late) AS late
"""

STORE = _MESSAGES + _ANSWER
STORE_WITH_HISTORY = _MESSAGES + _HISTORY + _ANSWER
STORE_WITH_TAPS = _MESSAGES + _TAPS + _ANSWER
STORE_WITH_HISTORY_AND_TAPS = _MESSAGES + _HISTORY + _TAPS + _ANSWER
