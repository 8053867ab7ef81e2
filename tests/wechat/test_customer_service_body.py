from typing import Any

import pytest

from app.wechat.ids import OpenId
from app.wechat.outbound import (
    REPLY,
    MediaSource,
    MediaUse,
    Message,
    customer_service_body,
    media_of,
)

FILE, THUMB = {"file": "a"}, {"url": "https://example.com/b.jpg"}
MEDIA_IDS = {MediaSource(file="a"): "MEDIA", MediaSource(url=THUMB["url"]): "THUMB"}
ARTICLE = {"title": "t", "description": "d", "url": "https://x", "picurl": "https://y"}
SONG = {"title": "t", "description": "d", "musicurl": "https://x"}
CARD = {"title": "商城", "appid": "wx0123456789abcdef", "pagepath": "pages/index"}
MENU = {"head_content": "?", "list": [{"id": "1", "content": "好"}]}


def _reply(msgtype: str, **members: object) -> Message:
    return REPLY.validate_python({"msgtype": msgtype, "via": "customer_service", **members})


@pytest.mark.parametrize(
    ("reply", "contents"),
    [
        (_reply("text", content="你好"), {"content": "你好"}),
        (_reply("image", media=FILE), {"media_id": "MEDIA"}),
        (_reply("image", media={"media_id": "known"}), {"media_id": "known"}),
        (_reply("voice", media=FILE), {"media_id": "MEDIA"}),
        (
            _reply("video", media=FILE, thumb=THUMB, title="t"),
            {"media_id": "MEDIA", "thumb_media_id": "THUMB", "title": "t"},
        ),
        (_reply("music", thumb=THUMB, **SONG), {**SONG, "thumb_media_id": "THUMB"}),
        (_reply("news", articles=[ARTICLE]), {"articles": [ARTICLE]}),
        (_reply("miniprogrampage", thumb=FILE, **CARD), {**CARD, "thumb_media_id": "MEDIA"}),
        (_reply("msgmenu", **MENU), MENU),
        (_reply("mpnewsarticle", article_id="a"), {"article_id": "a"}),
        (_reply("wxcard", card_id="c"), {"card_id": "c"}),
    ],
    ids=lambda value: getattr(value, "msgtype", None),
)
def test_each_message_becomes_its_custom_send_body(
    reply: Message, contents: dict[str, Any]
) -> None:
    body = customer_service_body(reply, openid=OpenId("o1"), media_ids=MEDIA_IDS)

    assert body == {"touser": "o1", "msgtype": reply.msgtype, reply.msgtype: contents}


def test_the_media_to_upload_are_named_with_the_type_that_wechat_wants() -> None:
    video = _reply("video", media=FILE, thumb=THUMB)
    card = _reply("miniprogrampage", thumb=FILE, **CARD)

    assert media_of(video) == (
        MediaUse("media_id", "video", MediaSource(file="a")),
        MediaUse("thumb_media_id", "thumb", MediaSource(url=THUMB["url"])),
    )
    assert media_of(card) == (MediaUse("thumb_media_id", "image", MediaSource(file="a")),)
    assert media_of(_reply("text", content="x")) == ()
    passive = {"msgtype": "video", "via": "passive", "media": {"media_id": "m"}}
    (alone,) = media_of(REPLY.validate_python(passive))
    assert alone == MediaUse("media_id", "video", MediaSource(media_id="m"))
    for msgtype in ("image", "voice"):
        (use,) = media_of(_reply(msgtype, media=FILE))
        assert use == MediaUse("media_id", msgtype, MediaSource(file="a"))
    (cover,) = media_of(_reply("music", **SONG, hqmusicurl="https://x", thumb=THUMB))
    assert cover == MediaUse("thumb_media_id", "thumb", MediaSource(url=THUMB["url"]))


def test_a_source_that_was_not_uploaded_is_an_error() -> None:
    with pytest.raises(KeyError):
        customer_service_body(_reply("image", media=FILE), openid=OpenId("o1"), media_ids={})


def test_a_passive_reply_has_no_custom_send_body() -> None:
    passive = REPLY.validate_python({"msgtype": "text", "via": "passive", "content": "x"})

    with pytest.raises(ValueError, match="passive text"):
        customer_service_body(passive, openid=OpenId("o1"), media_ids={})
