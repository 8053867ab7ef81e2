"""add followers, consents, UnionID changes and positions in the history"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A position is drawn before its row is committed, so a lower one may appear after a higher one.
# Whoever draws first claims the present end of the sequence until its transaction ends; what
# lies at or below every claim can't change any more. Claims are advisory locks: they end with
# the transaction, also in a crash, block nobody, and no other work of the server holds readers
# up. The lock's upper 16 bits say whose it is (0x4F41), the others carry the position.
NEXT_POSITION = """
CREATE FUNCTION oa_bridge_next_position() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF COALESCE(current_setting('oa_bridge.position_claimed', true), '') = '' THEN
        PERFORM pg_advisory_xact_lock_shared(
            (20289::bigint << 48) | (SELECT last_value FROM history_position)
        );
        PERFORM set_config('oa_bridge.position_claimed', 'yes', true);
    END IF;
    RETURN nextval('history_position');
END
$$
"""

# The end of the sequence is read before the claims: a position below that end which is not
# committed yet belongs to a claim that is older than this look at the claims. The rows have to
# be read by a later statement, whose snapshot then has all of them.
SETTLED_POSITION = """
CREATE FUNCTION oa_bridge_settled_position() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    claimed bigint;
BEGIN
    SELECT last_value INTO reached FROM history_position;
    SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO claimed
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 20289
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    RETURN LEAST(reached, claimed);
END
$$
"""

NUMBER = """
UPDATE {table} SET position = numbered.position
FROM (SELECT id, {offset} + row_number() OVER (ORDER BY id) AS position FROM {table}) numbered
WHERE {table}.id = numbered.id
"""

EVENTS = ("follow_events", "subscription_events")


def upgrade() -> None:
    op.execute("CREATE SEQUENCE history_position")
    op.execute(NEXT_POSITION)
    op.execute(SETTLED_POSITION)
    _number_the_history()
    op.add_column(
        "follow_events",
        sa.Column(
            "source",
            sa.Enum("event", "sync", name="source", native_enum=False, length=32),
            server_default="event",
            nullable=False,
        ),
    )
    op.alter_column("follow_events", "callback_id", nullable=True)
    _create_history_indexes()
    _create_followers()
    _create_consents()
    _create_unionid_changes()
    op.create_index(
        "ix_openids_not_bound",
        "openids",
        ["appid", "resolve_next_at"],
        postgresql_where=sa.text("resolve_reason = 'not_bound'"),
    )


def downgrade() -> None:
    op.drop_index("ix_openids_not_bound", "openids")
    for table in ("unionid_changes", "consents", "followers"):
        op.drop_table(table)
    op.execute("DELETE FROM follow_events WHERE callback_id IS NULL OR action = 'scan'")
    op.alter_column("follow_events", "callback_id", nullable=False)
    op.drop_column("follow_events", "source")
    for table in EVENTS:
        op.drop_column(table, "position")
        op.create_index(op.f(f"ix_{table}_appid_id"), table, ["appid", "id"])
    op.execute("DROP FUNCTION oa_bridge_settled_position(), oa_bridge_next_position()")
    op.execute("DROP SEQUENCE history_position")


def _number_the_history() -> None:
    """Give the events that are there the positions of their arrival; the sequence goes on."""
    offset = "0"
    for table in EVENTS:
        op.add_column(table, sa.Column("position", sa.BigInteger()))
        op.execute(NUMBER.format(table=table, offset=offset))
        offset = "(SELECT COALESCE(max(position), 0) FROM follow_events)"
        op.alter_column(
            table,
            "position",
            nullable=False,
            server_default=sa.text("oa_bridge_next_position()"),
        )
    op.execute(
        "SELECT setval('history_position', GREATEST(1, (SELECT max(position) FROM follow_events),"
        " (SELECT max(position) FROM subscription_events)))"
    )


def _create_history_indexes() -> None:
    for table, kind, scene in (
        ("follow_events", "action", "scene"),
        ("subscription_events", "action", "popup_scene"),
    ):
        op.drop_index(op.f(f"ix_{table}_appid_id"), table)
        _create_list_indexes(table, kind, scene, "occurred_at")


def _create_list_indexes(table: str, kind: str, scene: str, time: str) -> None:
    """The four ways in which a list is read: by kind or scene, in order of arrival or of time."""
    some = sa.text(f"{scene} IS NOT NULL")
    op.create_index(f"ix_{table}_arrival", table, ["appid", kind, "position"])
    op.create_index(f"ix_{table}_time", table, ["appid", kind, time, "position"])
    for name, columns in (
        (f"ix_{table}_scene_arrival", ["appid", scene, kind, "position"]),
        (f"ix_{table}_scene_time", ["appid", scene, kind, time, "position"]),
    ):
        op.create_index(name, table, columns, postgresql_where=some)


def _create_followers() -> None:
    op.create_table(
        "followers",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("unionid", sa.Text(), nullable=True),
        sa.Column("following", sa.Boolean(), nullable=False),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("followed_id", sa.Uuid(), nullable=True),
        sa.Column("unfollowed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scene", sa.Text(), nullable=True),
        sa.Column("how", sa.Text(), nullable=True),
        sa.Column(
            "source",
            sa.Enum("event", "sync", name="source", native_enum=False, length=32),
            server_default="event",
            nullable=False,
        ),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            sa.BigInteger(),
            server_default=sa.text("oa_bridge_next_position()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("appid", "openid", name=op.f("pk_followers")),
    )
    op.create_index(op.f("ix_followers_unionid_appid"), "followers", ["unionid", "appid"])
    _create_list_indexes("followers", "following", "scene", "followed_at")


def _create_consents() -> None:
    op.create_table(
        "consents",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("unionid", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("accept", "reject", "ban", name="consentstate", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_id", sa.Uuid(), nullable=True),
        sa.Column("accepted", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("delivered", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "sends_left",
            sa.BigInteger(),
            sa.Computed(
                "CASE WHEN state = 'accept' THEN GREATEST(accepted - delivered, 0) ELSE 0 END",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("appid", "openid", "template_id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_unionid"), "consents", ["unionid"])


def _create_unionid_changes() -> None:
    op.create_table(
        "unionid_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("old_unionid", sa.Text(), nullable=False),
        sa.Column("new_unionid", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "source",
            sa.Enum("user_info", "report", name="unionidsource", native_enum=False, length=32),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unionid_changes")),
    )
    for columns in (["appid", "openid"], ["old_unionid"], ["new_unionid"]):
        op.create_index(op.f("ix_unionid_changes_" + "_".join(columns)), "unionid_changes", columns)
