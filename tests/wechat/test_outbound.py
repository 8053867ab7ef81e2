from typing import Any

import pytest
from pydantic import ValidationError

from app.wechat.outbound import REPLY, STORED, MediaSource

CARD = {
    "msgtype": "miniprogrampage",
    "via": "customer_service",
    "title": "商城",
    "appid": "wx0123456789abcdef",
    "pagepath": "pages/index?from=oa",
    "thumb": {"file": "shop.png"},
}
MEDIA_ID = {"media_id": "m"}
FILE = {"file": "films/a.mp4"}
ARTICLE = {"title": "t", "description": "d", "url": "https://x", "picurl": "https://y"}

GOOD = [
    CARD,
    CARD | {"thumb": {"url": "https://example.com/a.png"}, "title": "商" * 64},
    {"msgtype": "text", "via": "passive", "content": "正在为您打开商城"},
    {"msgtype": "text", "via": "customer_service", "content": "a\nb\t" + "x" * 2043},
    {"msgtype": "image", "via": "passive", "media": MEDIA_ID},
    {"msgtype": "image", "via": "customer_service", "media": FILE},
    {"msgtype": "voice", "via": "passive", "media": MEDIA_ID},
    {"msgtype": "video", "via": "passive", "media": MEDIA_ID, "title": "t"},
    {"msgtype": "video", "via": "customer_service", "media": FILE, "thumb": FILE},
    {"msgtype": "music", "via": "passive", "thumb": MEDIA_ID},
    {
        "msgtype": "music",
        "via": "customer_service",
        "thumb": FILE,
        "title": "t",
        "description": "d",
        "musicurl": "https://x",
        "hqmusicurl": "https://y",
    },
    {"msgtype": "news", "via": "passive", "articles": [ARTICLE] * 8},
    {"msgtype": "news", "via": "customer_service", "articles": [ARTICLE]},
    {
        "msgtype": "msgmenu",
        "via": "customer_service",
        "head_content": "?",
        "list": [{"id": "101", "content": "满意"}],
        "tail_content": "!",
    },
    {"msgtype": "mpnewsarticle", "via": "customer_service", "article_id": "a"},
    {"msgtype": "wxcard", "via": "customer_service", "card_id": "c"},
    {"msgtype": "transfer_customer_service", "via": "passive"},
    {"msgtype": "transfer_customer_service", "via": "passive", "kf_account": "a@b"},
]


def _name(value: object) -> str | None:
    return f"{value['msgtype']}-{value['via']}" if isinstance(value, dict) else None


@pytest.mark.parametrize("written", GOOD, ids=_name)
def test_a_reply_is_written_as_it_was_read(written: dict[str, Any]) -> None:
    reply = REPLY.validate_python(written)

    assert REPLY.dump_python(reply, mode="json") == written
    assert REPLY.validate_json(REPLY.dump_json(reply)) == reply
    assert hash(reply) == hash(REPLY.validate_python(written))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (CARD | {"via": "passive"}, "no passive reply with a mini-program card"),
        (CARD | {"via": "pigeon"}, "customer_service"),
        (CARD | {"title": "商" * 65}, "at most 64"),
        (CARD | {"title": ""}, "at least 1"),
        (CARD | {"title": "a\0"}, "control characters"),
        (CARD | {"appid": "wx0123456789ABCDEF"}, "match pattern"),
        (CARD | {"appid": "wx0123456789abcdef\n"}, "match pattern"),
        (CARD | {"pagepath": "/pages/index"}, "leading slash"),
        (CARD | {"pagepath": "页" * 342}, "at most 1,024 fit"),
        (CARD | {"colour": "red"}, "Extra inputs"),
        (CARD | {"thumb": {}}, "exactly one"),
        (CARD | {"thumb": {"file": "a.png", "media_id": "m"}}, "exactly one"),
        (CARD | {"thumb": {"file": "../a.png"}}, "media folder"),
        (CARD | {"thumb": {"file": "/etc/passwd"}}, "media folder"),
        (CARD | {"thumb": {"file": "a\\b"}}, "media folder"),
        (CARD | {"thumb": {"url": "file:///etc/passwd"}}, "match pattern"),
        ({"msgtype": "text", "via": "passive", "content": "商" * 683}, "WeChat takes 2,047"),
        ({"msgtype": "text", "via": "passive", "content": "a\x0b"}, "control characters"),
        ({"msgtype": "text", "content": "a"}, "via"),
        ({"msgtype": "image", "via": "passive", "media": FILE}, "name a media_id"),
        ({"msgtype": "voice", "via": "passive", "media": {"url": "https://x"}}, "media_id"),
        ({"msgtype": "video", "via": "passive", "media": FILE}, "name a media_id"),
        ({"msgtype": "video", "via": "customer_service", "media": FILE}, "needs a thumb"),
        (
            {"msgtype": "video", "via": "passive", "media": MEDIA_ID, "thumb": MEDIA_ID},
            "no thumb",
        ),
        ({"msgtype": "music", "via": "passive", "thumb": FILE}, "name a media_id"),
        ({"msgtype": "music", "via": "customer_service", "thumb": FILE}, "musicurl"),
        ({"msgtype": "news", "via": "passive", "articles": [ARTICLE] * 9}, "at most 8"),
        ({"msgtype": "news", "via": "customer_service", "articles": [ARTICLE] * 2}, "at most 1"),
        ({"msgtype": "news", "via": "passive", "articles": []}, "at least 1"),
        ({"msgtype": "news", "via": "passive", "articles": [{"title": "t"}]}, "picurl"),
        ({"msgtype": "msgmenu", "via": "passive", "list": [{"id": "1", "content": "c"}]}, "via"),
        ({"msgtype": "msgmenu", "via": "customer_service", "list": []}, "at least 1"),
        ({"msgtype": "wxcard", "via": "passive", "card_id": "c"}, "via"),
        ({"msgtype": "mpnewsarticle", "via": "passive", "article_id": "a"}, "via"),
        ({"msgtype": "transfer_customer_service", "via": "customer_service"}, "via"),
        ({"msgtype": "hologram", "via": "passive"}, "msgtype"),
    ],
)
def test_what_wechat_would_refuse_is_refused_when_it_is_written_down(
    changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        REPLY.validate_python(changes)


def test_a_refused_passive_card_is_told_what_to_do_instead() -> None:
    with pytest.raises(ValidationError, match=r'"via": "customer_service".*mini-program link'):
        REPLY.validate_python(CARD | {"via": "passive"})


def test_a_source_stands_for_itself_as_a_key() -> None:
    assert {MediaSource(file="a.png"): 1}[MediaSource(file="a.png")] == 1


UPLOADED = (
    "can't be uploaded while WeChat waits for a passive reply: "
    'name a media_id, or use "via": "customer_service"'
)


@pytest.mark.parametrize(
    ("reply", "field", "text"),
    [
        ({"msgtype": "image", "via": "passive", "media": FILE}, "media.file", UPLOADED),
        (
            {"msgtype": "voice", "via": "passive", "media": {"url": "https://x/a.mp3"}},
            "media.url",
            UPLOADED,
        ),
        ({"msgtype": "music", "via": "passive", "thumb": FILE}, "thumb.file", UPLOADED),
        (
            {"msgtype": "video", "via": "customer_service", "media": FILE},
            "thumb",
            "is missing: a video sent as a customer-service message needs a thumb",
        ),
        (
            {"msgtype": "video", "via": "passive", "media": MEDIA_ID, "thumb": MEDIA_ID},
            "thumb",
            "can't be shown, a passive video has no thumb: remove it",
        ),
        (
            {"msgtype": "music", "via": "customer_service", "thumb": FILE, "title": "t"},
            "description",
            "is missing: music sent as a customer-service message needs title, "
            "description and musicurl",
        ),
    ],
)
def test_members_that_do_not_go_together_are_named(
    reply: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        REPLY.validate_python(reply)

    (error,) = refused.value.errors()
    assert (error["type"], error["msg"], error["ctx"]) == ("misfit", text, {"field": field})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"via": "passive"},
            'WeChat has no passive reply with a mini-program card: use "via": "customer_service"; '
            "for an answer inside the response add a text with a mini-program link",
        ),
        ({"pagepath": "/pages/index"}, "is not as in app.json: remove the leading slash"),
        ({"pagepath": "p" * 1025}, "has 1,025 bytes, and at most 1,024 fit: shorten it"),
        (
            {"thumb": {"file": "../shop.png"}},
            "lies outside of the media folder: name a file inside it",
        ),
        ({"title": " \u3000"}, "is blank: write at least one visible character"),
        ({"title": "a\x07"}, "holds control characters: remove them"),
        ({"thumb": MEDIA_ID | FILE}, "must be exactly one of file, url and media_id"),
    ],
)
def test_a_refused_card_is_told_what_to_write_instead(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        REPLY.validate_python(CARD | changes)

    (error,) = refused.value.errors()
    assert error["msg"] == f"Value error, {text}"


def test_the_longest_page_of_a_card_fits() -> None:
    REPLY.validate_python(CARD | {"pagepath": "p" * 1024})


def test_words_that_show_nothing_are_refused_but_read_where_they_are_stored() -> None:
    unseen = {"msgtype": "text", "via": "passive", "content": "\u200b"}
    text = "holds nothing that can be seen: write at least one visible character"

    with pytest.raises(ValidationError) as refused:
        REPLY.validate_python(unseen)

    (error,) = refused.value.errors()
    assert error["msg"] == f"Value error, {text}"
    assert REPLY.validate_python(unseen, context=STORED).model_dump()["content"] == "\u200b"
