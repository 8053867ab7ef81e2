"""Shows a reply as it would be sent to WeChat. Pure."""

import json
from typing import Any

from pydantic import BaseModel

from app.rules.matching.render_replies import RenderedReply
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


class Upload(BaseModel):
    """A media file that is uploaded before the reply; `member` of the body is its media id."""

    member: str
    type: MediaType
    source: MediaSource


class SentReply(BaseModel):
    """A reply as it would be sent; `{ref}` is a new id in each preview.

    reply: the reply of the rule, filled in. body: the JSON of custom/send, or the elements of a
    passive reply. xml: a passive reply before it is encrypted. uploads: files that are uploaded
    first; the body has a placeholder for their media ids. not_sent: why the reply is not sent.
    """

    via: Via
    reply: dict[str, Any]
    body: dict[str, Any] | None = None
    xml: str | None = None
    uploads: list[Upload] = []
    not_sent: str | None = None


def preview(rendered: RenderedReply, message: Inbound) -> SentReply:
    """Return the reply to a message in the form in which it would be sent."""
    reply = rendered.reply
    document = reply.model_dump(mode="json")
    not_sent = rendered.skipped or rendered.failed
    if not_sent is not None:
        return SentReply(via=reply.via, reply=document, not_sent=not_sent)
    if reply.via == "passive":
        return SentReply(
            via=reply.via,
            reply=document,
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
    return SentReply(via=reply.via, reply=document, body=body, uploads=uploads)


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
