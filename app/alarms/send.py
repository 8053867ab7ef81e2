"""Sends one message to one receiver, and says what came of it. It raises no error."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import aiosmtplib
import httpx
import orjson

from app.alarms.mail import hand_in
from app.alarms.message import Message
from app.alarms.models import ReceiverKind
from app.alarms.receiver_secrets import Secrets
from app.alarms.robots import read_answer, request_of
from app.alarms.schemas import Mail
from app.http_client.client import checked_client
from app.http_client.ssrf_guard import AddressRefused, Resolver
from app.http_client.url_policy import BadUrl, Policy, parse_url
from app.webhooks.retry_policy import retry_after_delay
from app.webhooks.signing import sign

ATTEMPT_SECONDS: Final = 20.0
MAX_ANSWER_BYTES: Final = 64 * 1024
MAX_ERROR_CHARACTERS: Final = 300
# A longer part of a path may be a key, as with 飞书.
MAX_PLAIN_PART: Final = 12
INSIDE: Final = "the host has an address inside a network (WEBHOOK_ALLOW_PRIVATE)"


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send. mail: of an e-mail alone."""

    kind: ReceiverKind
    secrets: Secrets
    mail: Mail | None = None


@dataclass(frozen=True, slots=True)
class SendResult:
    """What came of an attempt. error: None if the receiver took the message.

    uncertain: it may have taken it all the same. pause: nothing is to be sent for so long. note:
    what an operator should know of a message that was taken.
    """

    error: str | None = None
    uncertain: bool = False
    pause: timedelta = timedelta()
    note: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.error is None


@dataclass(frozen=True, slots=True)
class Transport:
    """By which way messages are sent: what addresses are allowed, and who resolves names."""

    policy: Policy
    resolver: Resolver


async def send(
    target: Target, message: Message, message_id: UUID, at: datetime, transport: Transport
) -> SendResult:
    """Send a message within 20 seconds.

    message_id: of this attempt, for the signature of a webhook. An error is told by its kind, since
    its text could hold parts of the address.
    """
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            if target.mail is not None:
                return await _mail(target.mail, target.secrets, message, at, transport)
            return await _post(target, message, message_id, at, transport)
    except Exception as error:  # noqa: BLE001 - what a receiver does must not end the job
        return _failure(error)


def _failure(error: Exception) -> SendResult:
    match error:
        case AddressRefused():
            return SendResult(INSIDE)
        case BadUrl():
            return SendResult(f"the URL {error}")
        case httpx.ConnectError() | httpx.ConnectTimeout() | socket.gaierror():
            return SendResult(f"no connection: {type(error).__name__}")
        case aiosmtplib.SMTPException():
            return SendResult(_smtp_error(error), uncertain=_may_be_taken(error))
        case TimeoutError():
            return SendResult("no answer in time", uncertain=True)
        case _:
            uncertain = isinstance(error, httpx.TransportError)
            return SendResult(type(error).__name__, uncertain=uncertain)


async def _mail(
    mail: Mail, secrets: Secrets, message: Message, at: datetime, transport: Transport
) -> SendResult:
    refused = await hand_in(
        mail, secrets.password, message, at, transport.policy, transport.resolver
    )
    note = f"the server refused {refused} of the recipients" if refused else None
    return SendResult(note=note)


async def _post(
    target: Target, message: Message, message_id: UUID, at: datetime, transport: Transport
) -> SendResult:
    url, body, headers = _request(target, message, message_id, at)
    parsed = parse_url(url, transport.policy)
    own = {"content-type": "application/json", **headers}
    async with (
        checked_client(transport.policy, transport.resolver, own) as client,
        client.stream("POST", parsed, content=body) as response,
    ):
        answer = await _read(response)
    pause = retry_after_delay(response.headers.get("retry-after"), at)
    if target.kind is ReceiverKind.WEBHOOK:
        error = None if response.is_success else f"status {response.status_code}"
        return SendResult(error, pause=pause)
    found = read_answer(target.kind, response.status_code, answer)
    return SendResult(_without(target, found.error), pause=max(pause, found.pause))


def _request(
    target: Target, message: Message, message_id: UUID, at: datetime
) -> tuple[str, bytes, dict[str, str]]:
    url, secret = target.secrets.url or "", target.secrets.secret
    if target.kind is not ReceiverKind.WEBHOOK:
        address, body = request_of(target.kind, url, secret, message.text, at)
        return address, body, {}
    body = orjson.dumps({**message.data, "text": message.text})
    if secret is None:
        return url, body, {}
    signed = sign(body, event_id=message_id, keys=[secret], at=at)
    return url, signed.body, signed.headers


async def _read(response: httpx.Response) -> bytes:
    read = bytearray()
    # What is cut off is no JSON, so an endless answer is a failure.
    with suppress(httpx.HTTPError):
        async for chunk in response.aiter_raw():
            read += chunk
            if len(read) > MAX_ANSWER_BYTES:
                break
    return bytes(read[:MAX_ANSWER_BYTES])


def _without(target: Target, error: str | None) -> str | None:
    """Return an error without the key, which a robot may repeat in its answer."""
    if error is None or target.secrets.url is None:
        return error
    url = httpx.URL(target.secrets.url)
    keys = [value for _, value in url.params.multi_items()]
    keys += [part for part in url.path.split("/") if len(part) > MAX_PLAIN_PART]
    for key in filter(None, [*keys, target.secrets.secret]):
        error = error.replace(key, "…")
    return error


def _smtp_error(error: aiosmtplib.SMTPException) -> str:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return "the server refused all recipients"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"SMTP {error.code}: {error.message}"[:MAX_ERROR_CHARACTERS]
    return type(error).__name__


def _may_be_taken(error: aiosmtplib.SMTPException) -> bool:
    """Return whether the connection ended before the server's last word."""
    return isinstance(error, aiosmtplib.SMTPServerDisconnected | aiosmtplib.SMTPTimeoutError)
