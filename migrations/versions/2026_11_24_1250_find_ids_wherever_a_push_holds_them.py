"""find ids wherever a push that no person sends holds them"""

from collections.abc import Sequence

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What a person writes names nobody but the sender, and their events do so in members of known
# names alone, if at all. In pushes of others every word that may be an id counts, also inside of a
# text that is JSON itself. At most 128 characters: an index entry that is too long would refuse
# the push. The people's events are those of `names_a_person`.
NAMED = r"""
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
$$
"""
FORMER = """
CREATE OR REPLACE FUNCTION oa_bridge_named(msgtype text, payload jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF msgtype IN ('text', 'image', 'voice', 'video', 'shortvideo', 'location', 'link')
       OR lower(payload::text) !~ '(openid|openpid|unionid|[^om]username)"'
    THEN
        RETURN NULL;
    END IF;
    RETURN (
        SELECT array_agg(DISTINCT left(btrim(name #>> '{}'), 128))
        FROM jsonb_path_query(payload, '
            $.** ? (@.type() == "object").keyvalue()
            ? (@.key like_regex "(openid|openpid|unionid|username)$" flag "i"
               && !(@.key like_regex "^(from|to)username$" flag "i")).value[*]
            ? (@.type() == "string" && @ != "")
        ') AS name
    );
END
$$
"""
# Its entries are those of the function as it was when they were made.
INDEX = (
    "CREATE INDEX ix_callbacks_named ON callbacks USING gin (oa_bridge_named(msgtype, payload))"
    " WHERE oa_bridge_named(msgtype, payload) IS NOT NULL"
)


def upgrade() -> None:
    _replace(NAMED)


def downgrade() -> None:
    _replace(FORMER)


def _replace(function: str) -> None:
    op.execute("DROP INDEX ix_callbacks_named")
    op.execute(function)
    op.execute(INDEX)
