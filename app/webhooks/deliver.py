"""The job that sends one webhook what is due, in the order of arrival, at least once."""

import random
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import structlog
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app import metrics
from app.clock import Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.webhooks.delivery_run import DeliveryAttempt, claim, next_parcel, record_attempts, release
from app.webhooks.event_types import EventType
from app.webhooks.jobs import deliver_job
from app.webhooks.models import DeliveryStatus, Webhook
from app.webhooks.retry_policy import (
    LONGEST_REST,
    DeliveryOutcome,
    EndpointResponse,
    evaluate_attempt,
)
from app.webhooks.secret_encryption import DecryptionFailed, SecretBox
from app.webhooks.send import post, poster
from app.webhooks.signing import sign
from app.webhooks.ssrf_guard import Resolver, resolve
from app.webhooks.url_policy import Policy

# A run ends after either, so that a worker can stop while a webhook has much to catch up on.
MAX_EVENTS_A_RUN = 200
LONGEST_RUN = timedelta(seconds=5)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Feed:
    """What delivering needs. resolver: host and port → IP addresses."""

    sessions: SessionFactory
    clock: Clock
    policy: Policy
    box: SecretBox
    resolver: Resolver = resolve


async def deliver(feed: Feed, webhook_id: UUID) -> None:
    """Send what is due; when that takes long, leave the rest to a job of its own.

    A failed attempt is recorded, not raised: the webhook's schedule says when the next one is
    made. No transaction is open while an endpoint is called.
    """
    run = uuid7()
    async with poster(feed.policy, feed.resolver) as client:
        done = await _send_all(feed, client, webhook_id, run)
    async with feed.sessions.begin() as session:
        await release(session, webhook_id, run)
        if not done:
            await enqueue(session, [deliver_job(webhook_id, after=run)])


async def _send_all(feed: Feed, client: httpx.AsyncClient, webhook_id: UUID, run: UUID) -> bool:
    """Return False when the run had to end before all was sent."""
    ends_at = feed.clock.now() + LONGEST_RUN
    async with feed.sessions.begin() as session:
        webhook = await claim(session, webhook_id, run, feed.clock.now())
        parcel = await _next(feed, session, webhook)
    sent = 0
    while parcel is not None:
        answer = await _attempt(feed, client, parcel)
        sent += 1
        goes_on = sent < MAX_EVENTS_A_RUN and feed.clock.now() < ends_at
        async with feed.sessions.begin() as session:
            webhook = await claim(session, webhook_id, run, feed.clock.now())
            await _record(feed, session, webhook, parcel, answer)
            if not goes_on:
                return False
            parcel = await _next(feed, session, webhook)
    return True


async def _next(
    feed: Feed, session: AsyncSession, webhook: Webhook | None
) -> DeliveryAttempt | None:
    """A webhook whose secret can't be opened rests: a process with the right key may come."""
    if webhook is None:
        return None
    now = feed.clock.now()
    try:
        return await next_parcel(session, webhook, feed.box, now)
    except DecryptionFailed:
        log.error("feed.secret_not_opened", webhook_id=str(webhook.id))
        webhook.rests_until = now + LONGEST_REST
        return None


async def _attempt(
    feed: Feed, client: httpx.AsyncClient, parcel: DeliveryAttempt
) -> EndpointResponse:
    signed = sign(parcel.body, event_id=parcel.event_id, keys=parcel.keys, at=feed.clock.now())
    return await post(client, parcel.url, signed, feed.policy)


async def _record(
    feed: Feed,
    session: AsyncSession,
    webhook: Webhook | None,
    parcel: DeliveryAttempt,
    answer: EndpointResponse,
) -> None:
    outcome = _outcome(feed, parcel, answer)
    await record_attempts(session, webhook, parcel, answer, outcome, feed.clock.now())
    metrics.WEBHOOK_ATTEMPTS.labels(outcome.status.value).inc()
    if outcome.status is DeliveryStatus.FAILED or outcome.disabled is not None:
        log.warning(
            "feed.not_delivered",
            webhook_id=str(parcel.webhook_id),
            delivery_id=str(parcel.delivery_id),
            attempts=parcel.attempts,
            status_code=answer.status_code,
            error=answer.error,
            disabled=outcome.disabled,
        )


def _outcome(feed: Feed, parcel: DeliveryAttempt, answer: EndpointResponse) -> DeliveryOutcome:
    if parcel.type is EventType.PING:
        return DeliveryOutcome(
            DeliveryStatus.DELIVERED if answer.accepted else DeliveryStatus.FAILED
        )
    return evaluate_attempt(
        answer,
        attempts=parcel.attempts,
        failing_since=parcel.failing_since,
        now=feed.clock.now(),
        jitter=random.random(),  # noqa: S311 - spreads load, hides nothing
    )
