"""find everybody whom a push names, however deep, and by their UnionID too"""

from collections.abc import Sequence

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What a person writes names nobody but the sender, and most events do not either: they are told
# apart before the whole document is gone through. At most 128 characters: an index entry that is
# too long would refuse the push.
NAMED = """
CREATE FUNCTION oa_bridge_named(msgtype text, payload jsonb) RETURNS text[]
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
FORMER = """
CREATE FUNCTION oa_bridge_named(payload jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(COALESCE(
        NULLIF(payload->>'FriendUserName', ''), NULLIF(payload->>'OpenID', ''),
        NULLIF(payload->>'OpenId', ''), NULLIF(payload->>'openid', '')
    ), 128)
$$
"""


def upgrade() -> None:
    op.execute("DROP INDEX ix_callbacks_named")
    op.execute("DROP FUNCTION oa_bridge_named(jsonb)")
    op.execute(NAMED)
    op.execute(
        "CREATE INDEX ix_callbacks_named ON callbacks USING gin (oa_bridge_named(msgtype, payload))"
        " WHERE oa_bridge_named(msgtype, payload) IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_callbacks_named")
    op.execute("DROP FUNCTION oa_bridge_named(text, jsonb)")
    op.execute(FORMER)
    op.execute(
        "CREATE INDEX ix_callbacks_named ON callbacks (oa_bridge_named(payload))"
        " WHERE oa_bridge_named(payload) IS NOT NULL"
    )
