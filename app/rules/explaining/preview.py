"""A reply as WeChat would get it. Pure."""

import json
from typing import Any, Final

from pydantic import BaseModel

from app.rules.matching.render_replies import RenderedReply
from app.wechat.ids import OpenId
from app.wechat.inbound import Format, Inbound, subject_openid
from app.wechat.outbound import (
    MediaSource,
    MediaType,
    Message,
    Via,
    customer_service_body,
    media_of,
)
from app.wechat.passive_reply import article_limit, render

ANYBODY: Final = OpenId("OPENID")
"""Stands for the sender of a message who may be anybody."""


class Upload(BaseModel):
    """A medium that goes to WeChat first; `member` of the body then carries its media id."""

    member: str
    type: MediaType
    source: MediaSource


class SentReply(BaseModel):
    """A reply as it would be sent; `{ref}` is drawn anew each time.

    reply: the rule's own, filled in. body: the JSON of custom/send, or the elements of a passive
    reply. xml: a passive reply before it is encrypted. uploads: what is uploaded first, so that
    its media id in the body is made up. not_sent: why it is not sent at all.
    """

    via: Via
    reply: dict[str, Any]
    body: dict[str, Any] | None = None
    xml: str | None = None
    uploads: list[Upload] = []
    not_sent: str | None = None


def as_sent(answer: RenderedReply, message: Inbound) -> SentReply:
    """Return the reply to a message in its final form."""
    reply = answer.reply
    written = reply.model_dump(mode="json")
    not_sent = answer.skipped or answer.failed
    if not_sent is not None:
        return SentReply(via=reply.via, reply=written, not_sent=not_sent)
    if reply.via == "passive":
        return SentReply(
            via=reply.via,
            reply=written,
            body=json.loads(_passive(reply, message, Format.JSON)),
            xml=_passive(reply, message, Format.XML),
        )
    uploads = [
        Upload(member=use.member, type=use.type, source=use.source)
        for use in media_of(reply)
        if use.source.media_id is None
    ]
    media_ids = {upload.source: _media_id_of(upload.source) for upload in uploads}
    body = customer_service_body(reply, openid=subject_openid(message), media_ids=media_ids)
    return SentReply(via=reply.via, reply=written, body=body, uploads=uploads)


def _passive(reply: Message, message: Inbound, format: Format) -> str:
    return render(
        reply,
        openid=subject_openid(message),
        original_id=message.to_user,
        now=message.create_time,
        format=format,
        max_articles=article_limit(message),
    )


def _media_id_of(source: MediaSource) -> str:
    return f"MEDIA_ID of {source.file or source.url}"
