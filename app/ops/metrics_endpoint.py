"""GET /metrics for Prometheus: counters of the processes, and the state of the database."""

import asyncio
import os
from collections.abc import Iterable, Sequence

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.campaigns.pools import Pool
from app.db.engine import Database
from app.ops import database_state
from app.ops.api_document import GATE_RESPONSES
from app.ops.database_state import Snapshot
from app.wechat_client.learned_rate_store import SlowedRate
from app.wechat_client.quota_store import QuotaUse

router = APIRouter(tags=["operations"])


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    summary="Prometheus metrics",
    responses=GATE_RESPONSES,
)
async def metrics(request: Request) -> Response:
    """Return the metrics of all web processes of this machine and of the shared database.

    Without the database they hold `oa_bridge_database_up 0`, and no other database metric.
    """
    app = request.app.state
    database: Database = app.database
    up = await database_state.fault(database) is None
    state = await database_state.read(database) if up else None
    appids = list(app.settings.accounts)
    quotas = await database_state.quotas(database, appids, app.clock.now()) if up else ()
    slowed = await database_state.slowed_rates(database, appids, app.clock.now()) if up else ()
    pools = await database_state.pools(database, app.clock.now()) if up else ()
    # In a thread, since with several processes this reads files of each of them.
    counted = await asyncio.to_thread(_of_processes)
    return Response(
        counted + _of_database(up, state, quotas, slowed, pools), media_type=CONTENT_TYPE_LATEST
    )


def _of_processes() -> bytes:
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types
    return generate_latest(registry)


def _of_database(
    up: bool,
    state: Snapshot | None,
    quotas: Sequence[QuotaUse],
    slowed: Sequence[SlowedRate],
    pools: Sequence[Pool],
) -> bytes:
    registry = CollectorRegistry()
    registry.register(_DatabaseState(up, state or Snapshot(), quotas, slowed, pools))
    return generate_latest(registry)


class _DatabaseState(Collector):
    """Gives one snapshot to the Prometheus library."""

    # Ordinary gauges would be added up over the processes.

    def __init__(
        self,
        up: bool,
        state: Snapshot,
        quotas: Sequence[QuotaUse],
        slowed: Sequence[SlowedRate],
        pools: Sequence[Pool],
    ) -> None:
        self._up = up
        self._state = state
        self._quotas = quotas
        self._slowed = slowed
        self._pools = pools

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "oa_bridge_database_up", "1 while the database answers within a second", self._up
        )
        state = self._state
        yield _gauge(
            "queue_jobs",
            "Jobs in the queue, counted up to 100,000",
            ["entrypoint", "status"],
            state.jobs.items(),
        )
        yield _gauge(
            "queue_age_seconds",
            "How long the oldest due job has waited",
            ["entrypoint"],
            (((name,), age) for name, age in state.queue_ages.items()),
        )
        yield _gauge(
            "replies",
            "Replies that are not final, or failed for good; each status counted up to 100,000",
            ["status"],
            (((status,), count) for status, count in state.replies.items()),
        )
        yield _gauge(
            "access_token_age_seconds",
            "Age of the access token",
            ["appid"],
            (((appid,), token.age) for appid, token in state.tokens.items()),
        )
        yield _gauge(
            "access_token_expires_in_seconds",
            "Remaining life of the access token; negative once it has expired",
            ["appid"],
            (((appid,), token.expires_in) for appid, token in state.tokens.items()),
        )
        yield _gauge(
            "wechat_calls_paused_seconds",
            "How long calls that WeChat refuses or does not answer have waited; no sample while "
            "none do",
            ["appid", "api", "errcode"],
            (((one.appid, one.api, _code(one.errcode)), one.seconds) for one in state.paused),
        )
        yield _gauge(
            "api_quota_used_ratio",
            "Which part of today's quota of an API is used, 1 for all of it",
            ["appid", "api"],
            (((one.appid, one.api), one.share) for one in self._quotas if one.daily_limit),
        )
        yield _gauge(
            "api_rate_learned",
            "Calls of an API a minute at most since WeChat said 45011; no sample without",
            ["appid", "api"],
            (
                ((one.appid, one.api), one.rate.calls * 60 / one.rate.seconds)
                for one in self._slowed
            ),
        )
        yield _gauge(
            "campaign_codes_left",
            "Codes of a campaign that runs which nobody has yet, counted up to 10,000",
            ["campaign"],
            (((str(pool.campaign_id),), pool.left) for pool in self._pools),
        )
        yield _gauge(
            "webhooks",
            "Webhooks by state: enabled, off, disabled (by the service, after long failure)",
            ["state"],
            (((name,), count) for name, count in _by_state(state).items()),
        )
        yield GaugeMetricFamily(
            "oa_bridge_erasures_needing_a_person",
            "Erasures of which it is not known who is meant, counted up to 100,000",
            state.unidentified,
        )
        yield _gauge(
            "webhook_lag_seconds",
            "How long the oldest event that a webhook has not accepted has waited",
            ["webhook"],
            (((name,), webhook.lag) for name, webhook in state.webhooks.items()),
        )
        yield _gauge(
            "webhook_positions_behind",
            "Positions of the history between a webhook's cursor and the end",
            ["webhook"],
            (((name,), webhook.behind) for name, webhook in state.webhooks.items()),
        )


def _code(errcode: int | None) -> str:
    """Return an errcode as a label, as `oa_bridge_api_errors_total` has it."""
    return "transport" if errcode is None else str(errcode)


def _by_state(state: Snapshot) -> dict[str, int]:
    found = [webhook.state for webhook in state.webhooks.values()]
    return {name: found.count(name) for name in ("enabled", "off", "disabled")}


def _gauge(
    name: str, text: str, labels: list[str], samples: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"oa_bridge_{name}", text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
