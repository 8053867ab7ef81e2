import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import replies as peer

from app.wechat import inbound, passive_reply
from app.wechat.crypto import Format
from app.wechat.ids import OpenId
from app.wechat.outbound import REPLY, Message, Text
from app.wechat.push_format import parse_document
from tests.wechat.pushes import OPENID, ORIGINAL_ID, event, pushed
from tests.wechat.vectors import OUTBOUND

ARTICLE = {"title": "t", "description": "d", "url": "https://x", "picurl": "https://y"}
COMMON_XML = (
    f"<ToUserName><![CDATA[{OPENID}]]></ToUserName>"
    f"<FromUserName><![CDATA[{ORIGINAL_ID}]]></FromUserName><CreateTime>7</CreateTime>"
)
MEDIA = {"media_id": "m"}


def _reply(msgtype: str, **members: object) -> Message:
    return REPLY.validate_python({"msgtype": msgtype, "via": "passive", **members})


def _render(reply: Message, written: Format = Format.XML, *, max_articles: int = 1) -> str:
    return passive_reply.render(
        reply,
        openid=OpenId(OPENID),
        original_id=ORIGINAL_ID,
        now=7,
        format=written,
        max_articles=max_articles,
    )


def test_the_documented_text_reply_is_rendered_byte_for_byte() -> None:
    vector = OUTBOUND[0]
    pushed_text = parse_document(vector["plaintext"], Format.XML)

    rendered = passive_reply.render(
        Text(via="passive", content=str(pushed_text["Content"])),
        openid=OpenId(OPENID),
        original_id=ORIGINAL_ID,
        now=1795500703,
        format=Format.XML,
    )

    assert rendered == vector["plaintext"]


@pytest.mark.parametrize(
    ("reply", "contents"),
    [
        (_reply("text", content="a\nb"), "<Content><![CDATA[a\nb]]></Content>"),
        (_reply("image", media=MEDIA), "<Image><MediaId><![CDATA[m]]></MediaId></Image>"),
        (_reply("voice", media=MEDIA), "<Voice><MediaId><![CDATA[m]]></MediaId></Voice>"),
        (
            _reply("video", media=MEDIA, title="t"),
            "<Video><MediaId><![CDATA[m]]></MediaId><Title><![CDATA[t]]></Title></Video>",
        ),
        (
            _reply("music", thumb=MEDIA, musicurl="https://x", hqmusicurl="https://y"),
            "<Music><MusicUrl><![CDATA[https://x]]></MusicUrl><HQMusicUrl><![CDATA[https://y]]>"
            "</HQMusicUrl><ThumbMediaId><![CDATA[m]]></ThumbMediaId></Music>",
        ),
        (
            _reply("news", articles=[ARTICLE]),
            "<ArticleCount>1</ArticleCount><Articles><item><Title><![CDATA[t]]></Title>"
            "<Description><![CDATA[d]]></Description><PicUrl><![CDATA[https://y]]></PicUrl>"
            "<Url><![CDATA[https://x]]></Url></item></Articles>",
        ),
        (_reply("transfer_customer_service"), ""),
        (
            _reply("transfer_customer_service", kf_account="a@b"),
            "<TransInfo><KfAccount><![CDATA[a@b]]></KfAccount></TransInfo>",
        ),
    ],
    ids=lambda value: getattr(value, "msgtype", "xml"),
)
def test_each_passive_reply_is_rendered_as_documented(reply: Message, contents: str) -> None:
    kind = f"<MsgType><![CDATA[{reply.msgtype}]]></MsgType>"

    assert _render(reply) == f"<xml>{COMMON_XML}{kind}{contents}</xml>"


def test_the_peer_reads_our_replies() -> None:
    text = peer.deserialize_reply(_render(_reply("text", content="a]]>b")))
    news = peer.deserialize_reply(_render(_reply("news", articles=[ARTICLE] * 2), max_articles=8))
    image = peer.deserialize_reply(_render(_reply("image", media=MEDIA)))
    music = peer.deserialize_reply(_render(_reply("music", thumb=MEDIA, title="t")))

    assert (text.target, text.source, text.content) == (OPENID, ORIGINAL_ID, "a]]>b")
    assert [article["title"] for article in news.articles] == ["t", "t"]
    assert image.media_id == "m"
    assert (music.thumb_media_id, music.title) == ("m", "t")


def test_a_json_reply_has_the_members_of_the_xml_one() -> None:
    news = _reply("news", articles=[ARTICLE] * 2)

    rendered = json.loads(_render(news, Format.JSON, max_articles=8))

    assert rendered["CreateTime"] == 7
    assert rendered["ArticleCount"] == 2
    assert [item["PicUrl"] for item in rendered["Articles"]["item"]] == ["https://y"] * 2
    assert "你好" in _render(_reply("text", content="你好"), Format.JSON)


def test_a_message_is_answered_with_one_article_and_an_event_with_eight() -> None:
    answered = ["text", "image", "voice", "video", "shortvideo", "link", "location"]

    limits = {
        name: passive_reply.article_limit(pushed(f"<MsgType>{name}</MsgType>")) for name in answered
    }

    assert limits == dict.fromkeys(answered, 1)
    assert passive_reply.article_limit(event("subscribe")) == 8
    assert passive_reply.article_limit(event("CLICK")) == 8


def test_articles_beyond_the_limit_are_left_out() -> None:
    news = _reply("news", articles=[ARTICLE] * 8)

    assert _render(news).count("<item>") == 1
    assert "<ArticleCount>1</ArticleCount>" in _render(news)
    assert _render(news, max_articles=8).count("<item>") == 8


def test_a_queued_message_is_not_rendered_as_a_passive_reply() -> None:
    queued = REPLY.validate_python({"msgtype": "text", "via": "customer_service", "content": "x"})

    with pytest.raises(ValueError, match="no passive reply"):
        _render(queued)


LINK = '<a href="https://x" data-miniprogram-path="p?a=1">打开</a>'


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("x" * 2049, "x" * 2047),
        ("商" * 700, "商" * 682),
        ("x" * 2040 + LINK, "x" * 2040),
        ("x" * 2040 + LINK.upper() + "y", "x" * 2040),
        ("x" * 1900 + LINK + "y" * 500, "x" * 1900 + LINK + "y" * (147 - len(LINK.encode()))),
        ("a\x00\x0b\ufffeb", "ab"),
        (LINK, LINK),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("x" * 2040 + "👨\u200d👩\u200d👧", "x" * 2040),
        ("x" * 2044 + "e\u0301e", "x" * 2044 + "e\u0301"),
        ("x" * 2041 + "🇨🇳", "x" * 2041),
        ("x" * 2046 + "\r\n", "x" * 2046 + "\n"),
    ],
)
def test_a_text_is_cut_between_characters_and_before_a_link(content: str, shown: str) -> None:
    assert passive_reply.truncate(content) == shown


@given(st.text(max_size=3000))
def test_a_fitted_text_is_short_legal_and_a_beginning_of_what_was_written(content: str) -> None:
    fitted = passive_reply.truncate(content)

    assert len(fitted.encode()) <= 2047
    assert passive_reply.truncate(fitted) == fitted
    assert "\r" not in fitted
    if len(content.encode(errors="surrogatepass")) <= 2047 and content.isprintable():
        assert fitted == content


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=300)
    | st.sampled_from(["]]>", "]]]]>>", "<![CDATA[x]]>", "&lt;", "]]]]><![CDATA[>"]),
    st.sampled_from(Format),
)
def test_a_rendered_text_reads_back_as_it_was_written(content: str, written: Format) -> None:
    content = "x" + content.replace("\ufffe", "").replace("\uffff", "")

    read = parse_document(_render(_reply("text", content=content), written), written)

    assert read["Content"] == content
    assert read["MsgType"] == "text"


def test_a_reply_to_a_parsed_push_goes_back_to_its_sender() -> None:
    message = pushed("<MsgType>text</MsgType><Content>hi</Content>")

    reply = passive_reply.render(
        Text(via="passive", content="x"),
        openid=inbound.subject_openid(message),
        original_id=message.to_user,
        now=7,
        format=Format.XML,
    )

    assert reply.startswith(f"<xml>{COMMON_XML}")
