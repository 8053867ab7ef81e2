"""From what was kept to the response that WeChat gets. Source: protocol 1.4 and 5."""

from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from starlette.responses import Response

from app.wechat.crypto import Cipher, Format, Opened
from app.wechat.inbound import BaseMessage, Inbound, subject_openid
from app.wechat.outbound import Message, Reply, TransferCustomerService
from app.wechat.passive import article_limit, render

REPLY: Final[TypeAdapter[Message]] = TypeAdapter(Reply)
MEDIA_TYPES: Final = {Format.XML: "application/xml", Format.JSON: "application/json"}


def answer(
    cipher: Cipher, opened: Opened, message: Inbound, passive: str | None, *, now: datetime
) -> Response:
    """Return `success`, or the passive reply, sealed if the push was encrypted.

    passive: JSON text of an `outbound` reply; None means `success`.
    """
    reply = None if passive is None else REPLY.validate_json(passive)
    if reply is None or not _fits(reply, message):
        return Response(b"success", media_type="text/plain")
    seconds = int(now.timestamp())
    text = render(
        reply,
        openid=subject_openid(message),
        original_id=message.to_user,
        now=seconds,
        format=opened.format,
        max_articles=article_limit(message),
    )
    body = (
        cipher.seal(text, nonce=opened.nonce, timestamp=seconds, format=opened.format)
        if opened.encrypted
        else text.encode()
    )
    return Response(body, media_type=MEDIA_TYPES[opened.format])


def _fits(reply: Message, message: Inbound) -> bool:
    """An agent can take over a message, but not an event."""
    return not isinstance(reply, TransferCustomerService) or isinstance(message, BaseMessage)
