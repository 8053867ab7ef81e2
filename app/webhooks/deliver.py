"""The job that sends the due deliveries of one webhook, oldest event first, at least once."""

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import metrics, tracing
from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.http_client.ssrf_guard import Resolver, resolve
from app.http_client.url_policy import Policy
from app.secret_box import WRONG_KEY, DecryptionFailed, SecretBox
from app.webhooks.delivery_run import DeliveryAttempt, claim, next_attempt, record_attempt, release
from app.webhooks.event_types import EventType
from app.webhooks.jobs import deliver_job
from app.webhooks.models import DeliveryStatus, Webhook
from app.webhooks.retry_policy import (
    MAX_REST,
    DeliveryOutcome,
    EndpointResponse,
    evaluate_attempt,
)
from app.webhooks.send import endpoint_client, post
from app.webhooks.signing import sign

# A run ends at either limit, so that a worker can stop although a webhook is far behind.
MAX_EVENTS_A_RUN = 200
MAX_RUN = timedelta(seconds=5)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The dependencies of a delivery. resolver: returns the IP addresses of a host and port."""

    sessions: SessionFactory
    clock: Clock
    policy: Policy
    box: SecretBox
    resolver: Resolver = resolve


async def deliver(deps: Dependencies, webhook_id: UUID) -> None:
    """Send the due deliveries. If a limit of the run is reached, enqueue a job for the rest.

    A failed attempt is recorded and not raised, since the retry policy says when the next one is
    made. No transaction is open during a request.
    """
    run = uuid7()
    async with endpoint_client(deps.policy, deps.resolver) as client:
        finished = await _send_all(deps, client, webhook_id, run)
    async with deps.sessions.begin() as session:
        await release(session, webhook_id, run)
        if not finished:
            await enqueue(session, [deliver_job(webhook_id, after=run)])


async def _send_all(
    deps: Dependencies, client: httpx.AsyncClient, webhook_id: UUID, run: UUID
) -> bool:
    """Send until nothing is due; return False if a limit ended the run before."""
    ends_at = deps.clock.now() + MAX_RUN
    async with deps.sessions.begin() as session:
        webhook = await claim(session, webhook_id, run, deps.clock.now())
        attempt = await _next(deps, session, webhook)
    sent = 0
    while attempt is not None:
        with _trace_of(attempt):
            response = await _send(deps, client, attempt)
        sent += 1
        may_continue = sent < MAX_EVENTS_A_RUN and deps.clock.now() < ends_at
        async with deps.sessions.begin() as session:
            webhook = await claim(session, webhook_id, run, deps.clock.now())
            with _trace_of(attempt, span=False):
                await _record(deps, session, webhook, attempt, response)
            if not may_continue:
                return False
            attempt = await _next(deps, session, webhook)
    return True


def _trace_of(attempt: DeliveryAttempt, *, span: bool = True) -> AbstractContextManager[object]:
    """Return a block in the trace of the push that the event came with, else in that of the job."""
    if attempt.callback_id is None:
        return nullcontext()
    name = "webhook" if span else None
    return tracing.trace(name, attempt.callback_id, further=True)


async def _next(
    deps: Dependencies, session: AsyncSession, webhook: Webhook | None
) -> DeliveryAttempt | None:
    if webhook is None:
        return None
    now = deps.clock.now()
    try:
        return await next_attempt(session, webhook, deps.box, now)
    except DecryptionFailed:
        log.error("feed.secret_not_opened", webhook_id=str(webhook.id), fix=WRONG_KEY)
        # Another process may have the right key, so the webhook is tried again later.
        webhook.rests_until = now + MAX_REST
        return None


async def _send(
    deps: Dependencies, client: httpx.AsyncClient, attempt: DeliveryAttempt
) -> EndpointResponse:
    signed = sign(attempt.body, event_id=attempt.event_id, keys=attempt.keys, at=deps.clock.now())
    return await post(client, attempt.url, signed, deps.policy)


async def _record(
    deps: Dependencies,
    session: AsyncSession,
    webhook: Webhook | None,
    attempt: DeliveryAttempt,
    response: EndpointResponse,
) -> None:
    outcome = _outcome(deps, attempt, response)
    await record_attempt(session, webhook, attempt, response, outcome, deps.clock.now())
    metrics.WEBHOOK_ATTEMPTS.labels(outcome.status.value).inc()
    if outcome.status is DeliveryStatus.FAILED or outcome.disabled is not None:
        log.warning(
            "feed.not_delivered",
            webhook_id=str(attempt.webhook_id),
            delivery_id=str(attempt.delivery_id),
            attempts=attempt.attempts,
            status_code=response.status_code,
            error=response.error,
            disabled=outcome.disabled,
        )


def _outcome(
    deps: Dependencies, attempt: DeliveryAttempt, response: EndpointResponse
) -> DeliveryOutcome:
    if attempt.type is EventType.PING:
        return DeliveryOutcome(
            DeliveryStatus.DELIVERED if response.accepted else DeliveryStatus.FAILED
        )
    try:
        return _evaluate(deps, attempt, response)
    except Exception as error:  # noqa: BLE001 - what a receiver answers must not end the job
        log.error(
            "feed.response_not_evaluated",
            webhook_id=str(attempt.webhook_id),
            delivery_id=str(attempt.delivery_id),
            status_code=response.status_code,
            error=type(error).__name__,
        )
        return _evaluate(deps, attempt, EndpointResponse(error=type(error).__name__))


def _evaluate(
    deps: Dependencies, attempt: DeliveryAttempt, response: EndpointResponse
) -> DeliveryOutcome:
    return evaluate_attempt(
        response,
        attempts=attempt.attempts,
        failing_since=attempt.failing_since,
        now=deps.clock.now(),
        jitter=random.random(),  # noqa: S311 - spreads load, hides nothing
    )
