"""What Prometheus reads, from one process, from several, and with the database away."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
from prometheus_client.parser import text_string_to_metric_families

from app import metrics
from app.db.engine import Database
from tests.ops.standins import APPID, database_away, get, make_app

COUNT_ONE = """
from app import metrics
metrics.REFUSALS.labels("bad_signature").inc()
metrics.INBOX_WAITING.set(2)
metrics.RULES_LOADED.set({loaded})
metrics.SPOOL_CALLBACKS.set(5)
"""

SCRAPE = """
import asyncio
from tests.ops.standins import database_away, get, make_app

async def main():
    async with database_away() as database:
        print((await get(make_app(database), "/metrics")).text)

asyncio.run(main())
"""


class Scraped:
    """Samples of one answer of /metrics."""

    def __init__(self, text: str) -> None:
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.samples.get((f"oa_bridge_{name}", frozenset(labels.items())))


async def scrape(database: Database) -> Scraped:
    response = await get(make_app(database), "/metrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    return Scraped(response.text)


def run(code: str, folder: Path) -> str:
    """Run `code` as one of several processes that share `folder`."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
    ).stdout


async def test_what_rooms_count_is_shown(database: Database) -> None:
    before = (await scrape(database)).value("refusals_total", reason="outside_replay_window") or 0
    metrics.REFUSALS.labels("outside_replay_window").inc()
    after = await scrape(database)

    assert after.value("refusals_total", reason="outside_replay_window") == before + 1
    assert after.value("database_up") == 1


async def test_every_metric_is_shown_once_it_was_used(database: Database) -> None:
    metrics.CALLBACKS.labels(APPID, "text", "stored").inc()
    metrics.RULE_MATCHES.labels("exact").inc()
    metrics.RULES_RELOADS.labels("ok").inc()
    metrics.SENDS.labels("miniprogrampage", "sent").inc()
    metrics.CUT_OFF_SENDS.labels("resent").inc()
    metrics.API_ERRORS.labels("45015").inc()
    metrics.WEBHOOK_ATTEMPTS.labels("delivered").inc()
    metrics.COMMIT_BATCH_SIZE.observe(3)
    metrics.COMMIT_SECONDS.observe(0.004)

    names = {name for name, _ in (await scrape(database)).samples}
    assert names >= {
        "oa_bridge_callbacks_total",
        "oa_bridge_rule_matches_total",
        "oa_bridge_rules_reloads_total",
        "oa_bridge_rules_loaded",
        "oa_bridge_rules_left_out",
        "oa_bridge_rules_rejected",
        "oa_bridge_sends_total",
        "oa_bridge_cut_off_sends_total",
        "oa_bridge_webhook_attempts_total",
        "oa_bridge_api_errors_total",
        "oa_bridge_commit_batch_size_bucket",
        "oa_bridge_commit_seconds_bucket",
        "oa_bridge_spool_callbacks",
        "oa_bridge_inbox_waiting",
    }


async def test_the_queue_is_read_from_its_table(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, execute_after) VALUES "
        "(0, 'queued', 'replies.deliver', now() - interval '90 seconds'), "
        "(0, 'queued', 'replies.deliver', now() + interval '1 hour'), "
        "(0, 'queued', 'identity.resolve', now() + interval '1 hour'), "
        "(0, 'failed', 'replies.deliver', now() - interval '1 day')"
    )
    found = await scrape(database)

    assert found.value("queue_jobs", entrypoint="replies.deliver", status="queued") == 2
    assert found.value("queue_jobs", entrypoint="replies.deliver", status="failed") == 1
    age = found.value("queue_age_seconds", entrypoint="replies.deliver")
    assert age is not None
    assert 90 <= age < 3600
    assert found.value("queue_age_seconds", entrypoint="identity.resolve") == 0


async def test_replies_that_are_open_or_failed_are_counted_and_sent_ones_are_not(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO replies (id, callback_id, position, appid, openid, via, msgtype, content, "
        "status, created_at) SELECT gen_random_uuid(), gen_random_uuid(), 0, $1, 'o', "
        "'customer_service', 'text', '{}', status, now() "
        "FROM unnest(ARRAY['pending', 'pending', 'held', 'sent', 'failed']) AS status",
        APPID,
    )
    found = await scrape(database)

    counts = [
        found.value("replies", status=name) for name in ("pending", "sending", "held", "failed")
    ]
    assert counts == [2, 0, 1, 1]
    assert found.value("replies", status="sent") is None


async def test_the_age_and_the_remaining_life_of_tokens_are_shown(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO access_tokens "
        "VALUES ($1, 'T', now() - interval '10 minutes', now() + interval '1 hour')",
        APPID,
    )
    found = await scrape(database)

    age = found.value("access_token_age_seconds", appid=APPID)
    expires_in = found.value("access_token_expires_in_seconds", appid=APPID)
    assert age is not None
    assert expires_in is not None
    assert 600 <= age < 1200
    assert 3000 < expires_in <= 3600


WEBHOOK = """
INSERT INTO webhooks (id, url, description, types, enabled, disabled_reason, secret, cursor,
                      created_at, updated_at)
VALUES ($1, 'https://x', '', '{*}', $2, $3, 's', $4, now(), now())
"""
DELIVERY = """
INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, position, status, attempts,
                                created_at)
VALUES (gen_random_uuid(), $1, gen_random_uuid(), $2, $3, $4, 0, now() - $5::interval)
"""


async def test_the_standing_of_webhooks_is_shown(
    database: Database, connection: asyncpg.Connection
) -> None:
    late, prompt, given_up = (UUID(int=number) for number in (1, 2, 3))
    await connection.execute("SELECT setval('history_position', 20)")
    await connection.execute(WEBHOOK, late, True, None, 15)
    await connection.execute(WEBHOOK, prompt, True, None, 20)
    await connection.execute(WEBHOOK, given_up, False, "410", 20)
    await connection.execute(WEBHOOK, UUID(int=4), False, None, 20)
    hour = timedelta(hours=1)
    await connection.execute(DELIVERY, late, "follow.created", 9, "waiting", hour)
    await connection.execute(DELIVERY, late, "follow.created", 12, "waiting", hour / 2)
    await connection.execute(DELIVERY, prompt, "follow.created", 9, "delivered", hour)
    await connection.execute(DELIVERY, prompt, "webhook.ping", 0, "waiting", hour)
    found = await scrape(database)

    states = [found.value("webhooks", state=name) for name in ("enabled", "off", "disabled")]
    assert states == [2, 1, 1]
    lag = found.value("webhook_lag_seconds", webhook=str(late))
    assert lag is not None
    assert 3600 <= lag < 7200
    assert found.value("webhook_lag_seconds", webhook=str(prompt)) == 0
    assert found.value("webhook_positions_behind", webhook=str(late)) == 5
    assert found.value("webhook_positions_behind", webhook=str(prompt)) == 0


async def test_with_the_database_away_the_process_is_still_measured() -> None:
    metrics.REFUSALS.labels("bad_padding").inc()
    async with database_away() as database:
        found = await scrape(database)

    assert found.value("database_up") == 0
    assert found.value("refusals_total", reason="bad_padding")
    assert found.value("replies", status="pending") is None


async def test_a_database_without_tables_is_up(
    database: Database, connection: asyncpg.Connection
) -> None:
    await connection.execute("DROP TABLE replies")
    found = await scrape(database)

    assert found.value("database_up") == 1
    assert found.value("replies", status="pending") is None


def test_several_processes_are_shown_as_one(tmp_path: Path) -> None:
    for loaded in (10, 9):
        run(COUNT_ONE.format(loaded=loaded), tmp_path)
    found = Scraped(run(SCRAPE, tmp_path))

    assert found.value("refusals_total", reason="bad_signature") == 2
    assert found.value("inbox_waiting") == 4
    assert found.value("rules_loaded") == 9
    assert found.value("spool_callbacks") == 5
    assert found.value("database_up") == 0
