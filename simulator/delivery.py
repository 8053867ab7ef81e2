"""Delivers one push to the service and repeats it as WeChat does. Source: protocol 3."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

import httpx

from simulator.accounts import DeliveryPolicy
from simulator.envelopes import Envelope, Stamp


class Outcome(StrEnum):
    """The outcome of one delivery as WeChat sees it."""

    ANSWERED = "answered"
    TIMEOUT = "timeout"
    CONNECTION_FAILED = "connection_failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One delivery. status, body: of the response; None and empty without one."""

    number: int
    stamp: Stamp
    outcome: Outcome
    latency_ms: float
    status: int | None = None
    body: bytes = b""

    def as_json(self) -> dict[str, object]:
        """Return the attempt without the body."""
        return {
            "number": self.number,
            "timestamp": self.stamp.timestamp,
            "nonce": self.stamp.nonce,
            "outcome": self.outcome,
            "status": self.status,
            "latency_ms": self.latency_ms,
        }


@dataclass(frozen=True, slots=True)
class Delivery:
    """The deliveries of one push.

    seal: puts the document into an envelope with a stamp. note: is called with every attempt.
    """

    client: httpx.AsyncClient
    url: str
    policy: DeliveryPolicy
    new_stamp: Callable[[], Stamp]
    seal: Callable[[Stamp], Envelope]
    note: Callable[[Attempt], None]

    async def deliver(self) -> Attempt:
        """Deliver until there is a response or no delivery is left; return the last attempt."""
        stamp = self.new_stamp()
        envelope = self.seal(stamp)
        number = 1
        while True:
            attempt = await self.attempt(number, stamp, envelope)
            self.note(attempt)
            if number == self.policy.deliveries or not self.should_repeat(attempt):
                return attempt
            # After a timeout there is no pause: WeChat has waited already.
            if attempt.outcome is not Outcome.TIMEOUT:
                await asyncio.sleep(self.policy.pause_seconds)
            if self.policy.renew_nonce:
                stamp = self.new_stamp()
                envelope = self.seal(stamp)
            number += 1

    def should_repeat(self, attempt: Attempt) -> bool:
        """Tell whether WeChat would deliver again after this attempt."""
        if attempt.outcome is not Outcome.ANSWERED:
            return True
        return self.policy.retry_on_status and attempt.status != HTTPStatus.OK

    async def attempt(self, number: int, stamp: Stamp, envelope: Envelope) -> Attempt:
        """Deliver once; the whole response must arrive before the timeout."""
        started = time.perf_counter()
        status, body = None, b""
        try:
            async with asyncio.timeout(self.policy.timeout_seconds):
                response = await self.client.post(
                    self.url,
                    params=envelope.query,
                    content=envelope.body,
                    headers={"Content-Type": envelope.content_type},
                    timeout=self.policy.timeout_seconds,
                )
            outcome, status, body = Outcome.ANSWERED, response.status_code, response.content
        except (TimeoutError, httpx.TimeoutException):
            outcome = Outcome.TIMEOUT
        except (httpx.TransportError, OSError, RuntimeError):
            # uvloop raises RuntimeError if a connection is lost while it is being closed.
            outcome = Outcome.CONNECTION_FAILED
        latency_ms = round((time.perf_counter() - started) * 1000, 3)
        return Attempt(number, stamp, outcome, latency_ms, status, body)
