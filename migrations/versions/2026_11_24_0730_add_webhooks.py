"""add webhooks, their deliveries and the history of identities"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A trigger, so that every way to learn a UnionID is told of. It costs the inbox nothing: storing
# a callback of a known person never sets the column.
IDENTITY_LEARNED = """
CREATE FUNCTION oa_bridge_identity_learned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO identity_events (appid, openid, action) VALUES (
        NEW.appid, NEW.openid,
        CASE WHEN TG_OP = 'UPDATE' AND OLD.unionid IS NOT NULL THEN 'changed' ELSE 'resolved' END
    );
    RETURN NULL;
END
$$
"""
ON_INSERT = """
CREATE TRIGGER oa_bridge_identity_inserted AFTER INSERT ON openids
FOR EACH ROW WHEN (NEW.unionid IS NOT NULL) EXECUTE FUNCTION oa_bridge_identity_learned()
"""
ON_UPDATE = """
CREATE TRIGGER oa_bridge_identity_updated AFTER UPDATE OF unionid ON openids
FOR EACH ROW WHEN (NEW.unionid IS NOT NULL AND NEW.unionid IS DISTINCT FROM OLD.unionid)
EXECUTE FUNCTION oa_bridge_identity_learned()
"""

HISTORY = ("follow_events", "subscription_events")


def upgrade() -> None:
    _create_webhooks()
    _create_deliveries()
    _create_identity_events()
    for table in HISTORY:
        op.create_index(f"ix_{table}_position", table, ["position"])
    for statement in (IDENTITY_LEARNED, ON_INSERT, ON_UPDATE):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER oa_bridge_identity_updated ON openids")
    op.execute("DROP TRIGGER oa_bridge_identity_inserted ON openids")
    op.execute("DROP FUNCTION oa_bridge_identity_learned()")
    for table in HISTORY:
        op.drop_index(f"ix_{table}_position", table)
    for table in ("identity_events", "webhook_deliveries", "webhooks"):
        op.drop_table(table)


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("secret_previous", sa.Text(), nullable=True),
        sa.Column("secret_previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_code", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    for columns in (["webhook_id", "id"], ["webhook_id", "status", "id"]):
        op.create_index(
            op.f("ix_webhook_deliveries_" + "_".join(columns)), "webhook_deliveries", columns
        )
    op.create_index(
        "ix_webhook_deliveries_waiting",
        "webhook_deliveries",
        ["webhook_id", "position"],
        postgresql_where=sa.text("status = 'waiting'"),
    )


def _create_identity_events() -> None:
    op.create_table(
        "identity_events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column(
            "occurred_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("oa_bridge_next_position()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_events")),
    )
    op.create_index(op.f("ix_identity_events_position"), "identity_events", ["position"])
    op.create_index(op.f("ix_identity_events_appid_openid"), "identity_events", ["appid", "openid"])
