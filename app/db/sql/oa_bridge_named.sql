-- Returns the OpenIDs and UnionIDs that a stored push names besides its sender, or NULL if it can
-- name nobody. The index ix_callbacks_named is built on it, and erasure finds callbacks with it.
--
-- What a person writes names nobody but the sender. Events of a person name others only in members
-- of known names. In every other push each word that may be an id counts, also inside a text that
-- is JSON itself. An id is cut to 128 characters, since Postgres would refuse a push whose index
-- entry is too long. The list of a person's events must agree with `names_a_person` in
-- app/wechat/inbound/sender.py.
--
-- The index keeps the results of the function as it was when each row was written: a migration that
-- changes the function has to drop ix_callbacks_named before it loads this file and create it
-- after.
CREATE OR REPLACE FUNCTION oa_bridge_named(msgtype text, payload jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    kind text;
    of_a_person bool;
BEGIN
    IF msgtype IN ('text', 'image', 'voice', 'video', 'shortvideo', 'location', 'link')
       OR payload = '{}'
    THEN
        RETURN NULL;
    END IF;
    kind := lower(COALESCE(payload->>'Event', '') COLLATE "C");
    of_a_person := msgtype IN ('file', 'miniprogrampage') OR kind IN (
        'subscribe', 'unsubscribe', 'scan', 'location', 'click', 'view', 'view_miniprogram',
        'scancode_push', 'scancode_waitmsg', 'pic_sysphoto', 'pic_photo_or_album', 'pic_weixin',
        'location_select', 'subscribe_msg_popup_event', 'subscribe_msg_change_event',
        'subscribe_msg_sent_event', 'templatesendjobfinish', 'kf_create_session',
        'kf_close_session', 'kf_switch_session'
    ) OR (starts_with(kind, 'user_') AND kind NOT IN (
        'user_info_modified', 'user_authorization_revoke', 'user_authorization_cancellation'
    ));
    IF of_a_person
       AND lower(payload::text COLLATE "C") !~ '(openid|openpid|unionid|[^om]username)"'
    THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT array_agg(DISTINCT name) FROM (
            SELECT left(btrim(value #>> '{}'), 128) AS name
            FROM jsonb_path_query(payload, '
                $.** ? (@.type() == "object").keyvalue()
                ? (@.key like_regex "(openid|openpid|unionid|username)$" flag "i"
                   && !(@.key like_regex "^(from|to)username$" flag "i")).value[*]
                ? (@.type() == "string" && @ != "")
            ') AS value
            UNION ALL
            SELECT name
            FROM regexp_split_to_table(
                regexp_replace(payload::text, '\\+(u[0-9a-f]{4}|.)', ' ', 'g'),
                '[^A-Za-z0-9_-]+'
            ) AS name
            WHERE NOT of_a_person AND length(name) BETWEEN 16 AND 128
              AND name IS DISTINCT FROM payload->>'FromUserName' AND lower(name) <> kind
        ) AS names
    );
END
$$;
