"""add erasures, and indexes of what retention clears"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Pushes name people in other places than the sender, too. At most 128 characters: an index entry
# that is too long would refuse the push.
NAMED = """
CREATE FUNCTION oa_bridge_named(payload jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(COALESCE(
        NULLIF(payload->>'FriendUserName', ''), NULLIF(payload->>'OpenID', ''),
        NULLIF(payload->>'OpenId', ''), NULLIF(payload->>'openid', '')
    ), 128)
$$
"""
# Few jobs fail; an erasure must not read the whole log for them.
TRACEBACKS = """
CREATE INDEX oa_bridge_tracebacks ON pgqueuer_log (id) WHERE traceback IS NOT NULL
"""
SCOPES = (
    *("profile", "location", "pictures", "voice", "invoice", "card", "not_held"),
    *("content", "everything", "person"),
)
TRIGGERS = (
    *("unsubscribe", "user_info_modified", "user_authorization_revoke"),
    *("user_authorization_cancellation", "late", "request"),
)


def upgrade() -> None:
    op.add_column("openids", sa.Column("erased_until", sa.DateTime(timezone=True), nullable=True))
    _create_erasures()
    op.create_table(
        "erased_people",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scope", _enum("scope", SCOPES), nullable=False),
        sa.PrimaryKeyConstraint("appid", "pseudonym", name=op.f("pk_erased_people")),
    )
    op.create_table(
        "late_pushes",
        sa.Column("callback_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_late_pushes")),
    )
    op.create_table(
        "service_secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_service_secrets")),
    )
    op.execute(NAMED)
    op.create_index(
        "ix_callbacks_named",
        "callbacks",
        [sa.text("oa_bridge_named(payload)")],
        postgresql_where=sa.text("oa_bridge_named(payload) IS NOT NULL"),
    )
    op.create_index(
        "ix_callbacks_full",
        "callbacks",
        ["received_at"],
        postgresql_where=sa.text("payload <> '{}'::jsonb"),
    )
    op.create_index(
        "ix_replies_full",
        "replies",
        ["created_at"],
        postgresql_where=sa.text("content <> '{}'::jsonb"),
    )
    op.execute(TRACEBACKS)


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS oa_bridge_tracebacks")
    op.drop_index("ix_replies_full", "replies")
    for index in ("ix_callbacks_full", "ix_callbacks_named"):
        op.drop_index(index, "callbacks")
    op.execute("DROP FUNCTION oa_bridge_named(jsonb)")
    for table in ("service_secrets", "late_pushes", "erased_people", "erasures"):
        op.drop_table(table)
    op.drop_column("openids", "erased_until")


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def _create_erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("trigger", _enum("trigger", TRIGGERS), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("appid", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("scope", _enum("scope", SCOPES), nullable=True),
        sa.Column("erased", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("counts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unlinked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(
        "ix_erasures_open",
        "erasures",
        ["requested_at"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index(
        "ix_erasures_linked",
        "erasures",
        ["finished_at"],
        postgresql_where=sa.text("unlinked_at IS NULL"),
    )
