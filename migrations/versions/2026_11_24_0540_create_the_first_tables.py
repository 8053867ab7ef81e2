"""create the first tables"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from sqlalchemy.dialects import postgresql
from sqlalchemy.util import await_only

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RULES_CHANGED = """
CREATE FUNCTION oa_bridge_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
BEGIN
    UPDATE rules_version SET version = version + 1 RETURNING version INTO reached;
    PERFORM pg_notify('oa_bridge_rules', reached::text);
    RETURN NULL;
END
$$
"""

RULES_TRIGGER = """
CREATE TRIGGER oa_bridge_rules_changed
AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rules
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_rules_changed()
"""


TABLES = (
    "access_tokens",
    "callbacks",
    "follow_events",
    "media",
    "openids",
    "replies",
    "rules",
    "rules_version",
    "send_windows",
    "subscription_events",
)


def upgrade() -> None:
    _create_tables()
    op.execute("INSERT INTO rules_version (version) VALUES (0)")
    op.execute(RULES_CHANGED)
    op.execute(RULES_TRIGGER)
    _script(QueryBuilderEnvironment().build_install_query())


def downgrade() -> None:
    _script(QueryBuilderEnvironment().build_uninstall_query())
    for table in TABLES:
        op.drop_table(table)
    op.execute("DROP FUNCTION oa_bridge_rules_changed()")


def _script(sql: str) -> None:
    """Run several statements at once, which the driver's prepared statements can't."""
    driver = op.get_bind().connection.driver_connection
    if driver is None:
        raise RuntimeError("the migration's connection is closed")
    await_only(driver.execute(sql))


def _create_tables() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("obtained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("appid", name=op.f("pk_access_tokens")),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.LargeBinary(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("msgtype", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "passive", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
    )
    op.create_index(
        op.f("ix_callbacks_appid_openid"), "callbacks", ["appid", "openid"], unique=False
    )
    op.create_index(
        "uq_callbacks_appid_dedupe_key", "callbacks", ["appid", "dedupe_key"], unique=True
    )
    op.create_table(
        "follow_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("callback_id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("unionid", sa.Text(), nullable=True),
        sa.Column(
            "action",
            sa.Enum("follow", "unfollow", name="followaction", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("scene", sa.Text(), nullable=True),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_events")),
    )
    op.create_index(
        op.f("ix_follow_events_appid_id"), "follow_events", ["appid", "id"], unique=False
    )
    op.create_index(
        op.f("ix_follow_events_appid_openid"), "follow_events", ["appid", "openid"], unique=False
    )
    op.create_index(
        op.f("ix_follow_events_unionid_occurred_at"),
        "follow_events",
        ["unionid", "occurred_at"],
        unique=False,
    )
    op.create_table(
        "media",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("media_id", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("appid", "source", name=op.f("pk_media")),
    )
    op.create_table(
        "openids",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("unionid", sa.Text(), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "resolve_state",
            sa.Enum(
                "pending",
                "resolved",
                "unavailable",
                name="resolvestate",
                native_enum=False,
                length=32,
            ),
            server_default="pending",
            nullable=False,
        ),
        sa.Column("resolve_reason", sa.Text(), nullable=True),
        sa.Column("resolve_attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("resolve_next_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("appid", "openid", name=op.f("pk_openids")),
    )
    op.create_index(
        op.f("ix_openids_appid_resolve_next_at"),
        "openids",
        ["appid", "resolve_next_at"],
        unique=False,
        postgresql_where=sa.text("resolve_state = 'pending'"),
    )
    op.create_index(
        op.f("ix_openids_unionid"),
        "openids",
        ["unionid"],
        unique=False,
        postgresql_where=sa.text("unionid IS NOT NULL"),
    )
    op.create_table(
        "replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("callback_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "via",
            sa.Enum("passive", "customer_service", name="via", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("msgtype", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "sending",
                "held",
                "sent",
                "failed",
                "expired",
                "skipped",
                name="replystatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("errmsg", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
    )
    op.create_index(
        op.f("ix_replies_callback_id_position"),
        "replies",
        ["callback_id", "position"],
        unique=False,
        postgresql_where=sa.text("via = 'customer_service'"),
    )
    op.create_index(
        op.f("ix_replies_appid_openid_id"), "replies", ["appid", "openid", "id"], unique=False
    )
    op.create_index(
        "ix_replies_held",
        "replies",
        ["appid", "openid"],
        unique=False,
        postgresql_where=sa.text("status = 'held'"),
    )
    op.create_index(
        "ix_replies_open",
        "replies",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'sending', 'held')"),
    )
    op.create_index(
        "ix_replies_status",
        "replies",
        ["status", "id"],
        unique=False,
        postgresql_where=sa.text("status <> 'sent'"),
    )
    op.create_table(
        "rules",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("priority", sa.BigInteger(), server_default=sa.text("100"), nullable=False),
        sa.Column("trigger", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("replies", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
    )
    op.create_index(op.f("ix_rules_appid_id"), "rules", ["appid", "id"], unique=False)
    op.create_table(
        "rules_version",
        sa.Column("only", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_rules_version")),
    )
    op.create_table(
        "send_windows",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column(
            "trigger",
            sa.Enum(
                "message",
                "menu",
                "follow",
                "scan",
                name="windowtrigger",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sends_left", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "openid", "trigger", name=op.f("pk_send_windows")),
    )
    op.create_table(
        "subscription_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("callback_id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("unionid", sa.Text(), nullable=True),
        sa.Column(
            "action",
            sa.Enum(
                "popup", "change", "sent", name="subscriptionaction", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("popup_scene", sa.Text(), nullable=True),
        sa.Column("msgid", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription_events")),
    )
    op.create_index(
        op.f("ix_subscription_events_appid_id"),
        "subscription_events",
        ["appid", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_subscription_events_appid_openid"),
        "subscription_events",
        ["appid", "openid"],
        unique=False,
    )
    op.create_index(
        op.f("ix_subscription_events_unionid_occurred_at"),
        "subscription_events",
        ["unionid", "occurred_at"],
        unique=False,
    )
