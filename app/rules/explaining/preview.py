"""Shows a reply as it would be sent to WeChat. Pure."""

import json
from typing import Any

from pydantic import Field

from app.api_model import ApiModel
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


class Upload(ApiModel):
    """A media file that is uploaded before the reply."""

    member: str
    """The member of the body that is its media id."""
    type: MediaType
    """As what it is uploaded."""
    source: MediaSource
    """Where it comes from."""


class SentReply(ApiModel):
    """A reply as it would be sent; `{ref}` is a new id in each preview."""

    via: Via
    """How it is sent: `passive` in the response to the push, `customer_service` by custom/send."""
    reply: dict[str, Any]
    """The reply of the rule, filled in."""
    body: dict[str, Any] | None = None
    """The JSON of custom/send, or the elements of a passive reply."""
    xml: str | None = None
    """A passive reply before it is encrypted."""
    uploads: list[Upload] = Field(default=[])
    """Files that are uploaded first; the body has a placeholder for their media ids."""
    not_sent: str | None = None
    """Why the reply is not sent."""


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
