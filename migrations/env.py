"""Alembic's entry: runs the migrations on the connection that `app.db.migrate` hands in.

How a migration changes a function or trigger of the database: see `app.db.sql_files`.
"""

from alembic import context
from sqlalchemy import text
from sqlalchemy.engine import Connection

import app.access.models
import app.alarms.models
import app.arrivals.models
import app.callback.models
import app.campaigns.models
import app.chart_notes.models
import app.codes.models
import app.datacube.models
import app.db.models
import app.doctor.models
import app.events.models
import app.follower_sync.models
import app.funnel.models
import app.growth.models
import app.identity.models
import app.jssdk.models
import app.links.models
import app.menus.models
import app.notices.models
import app.privacy.models
import app.qrcodes.models
import app.replies.models
import app.rules.importing.models
import app.rules.models
import app.tags.models
import app.tombstones.models
import app.webhooks.models
import app.wechat_client.models  # noqa: F401  (imported for their tables)
from app.db.base import Base

LOCK_KEY = 0x0A0B51D6E  # one migration at a time, whichever machine starts it


def include_name(name: str | None, type_: str, parents: object) -> bool:
    """Leave PgQueuer's tables to PgQueuer."""
    del parents
    return not (type_ == "table" and name is not None and name.startswith("pgqueuer"))


def run(connection: Connection) -> None:
    """Run to the target revision; lock_timeout keeps a busy table from being blocked for long."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        compare_type=True,
        transaction_per_migration=True,
        on_version_apply=context.config.attributes.get("on_version_apply"),
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        connection.execute(text("SET LOCAL lock_timeout = '4s'"))
        context.run_migrations()


run(context.config.attributes["connection"])
