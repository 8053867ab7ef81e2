from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.wechat import inbound
from app.wechat.crypto import Format
from app.wechat.errors import BadEnvelope, Stale
from app.wechat.inbound import messages
from app.wechat.inbound.unsupported import is_placeholder_keyword
from tests.wechat.pushes import OPENID, ORIGINAL_ID, document, pushed


@pytest.mark.parametrize(
    ("inner", "kind", "fields"),
    [
        (
            "<MsgType>text</MsgType><Content> a </Content><bizmsgmenuid>101</bizmsgmenuid>"
            "<MsgDataId>2247483650</MsgDataId><Idx>1</Idx><BusinessId>9</BusinessId>",
            messages.Text,
            {
                "content": " a ",
                "bizmsgmenuid": "101",
                "msg_data_id": "2247483650",
                "idx": "1",
                "business_id": "9",
            },
        ),
        (
            "<MsgType>text</MsgType><Content>【收到不支持的消息类型，暂无法显示】</Content>",
            messages.Unsupported,
            {"content": "【收到不支持的消息类型，暂无法显示】"},
        ),
        (
            "<MsgType>image</MsgType><PicUrl>http://x/y</PicUrl><MediaId>m</MediaId>",
            messages.Image,
            {"pic_url": "http://x/y", "media_id": "m"},
        ),
        (
            "<MsgType>voice</MsgType><MediaId>m</MediaId><Format>amr</Format>"
            "<Recognition>你好</Recognition><MediaId16K>k</MediaId16K>",
            messages.Voice,
            {"media_id": "m", "format": "amr", "recognition": "你好", "media_id_16k": "k"},
        ),
        (
            "<MsgType>video</MsgType><MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>",
            messages.Video,
            {"media_id": "m", "thumb_media_id": "t"},
        ),
        (
            "<MsgType>shortvideo</MsgType><MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>",
            messages.ShortVideo,
            {"media_id": "m", "thumb_media_id": "t"},
        ),
        (
            "<MsgType>location</MsgType><Location_X>23.134</Location_X>"
            "<Location_Y>113.358</Location_Y><Scale>20</Scale><Label>here</Label>",
            messages.Location,
            {"location_x": "23.134", "location_y": "113.358", "scale": "20", "label": "here"},
        ),
        (
            "<MsgType>link</MsgType><Title>t</Title><Description>d</Description><Url>u</Url>",
            messages.Link,
            {"title": "t", "description": "d", "url": "u"},
        ),
        (
            "<MsgType>file</MsgType><Title>t</Title><Description>d</Description>"
            "<FileKey>k</FileKey><FileMd5>5</FileMd5><FileTotalLen>7</FileTotalLen>",
            messages.File,
            {
                "title": "t",
                "description": "d",
                "file_key": "k",
                "file_md5": "5",
                "file_total_len": "7",
            },
        ),
        (
            "<MsgType>miniprogrampage</MsgType><Title>t</Title><AppId>wx1</AppId>"
            "<PagePath>p</PagePath><ThumbUrl>u</ThumbUrl><ThumbMediaId>m</ThumbMediaId>",
            messages.MiniProgramPage,
            {
                "title": "t",
                "appid": "wx1",
                "page_path": "p",
                "thumb_url": "u",
                "thumb_media_id": "m",
            },
        ),
    ],
)
def test_each_message_type_is_read_whole(
    inner: str, kind: type[inbound.KnownMessage], fields: dict[str, str]
) -> None:
    message = pushed(inner + "<MsgId>24861234567890123</MsgId>")

    assert isinstance(message, kind)
    assert (message.to_user, message.from_user) == (ORIGINAL_ID, OPENID)
    assert (message.create_time, message.msg_id) == (1795500000, "24861234567890123")
    assert {name: getattr(message, name) for name in fields} == fields
    assert f"<MsgType>{message.msgtype}</MsgType>" in inner


@pytest.mark.parametrize("spelling", ["MsgId", "MsgID", "msgid"])
def test_each_spelling_of_the_message_id_counts(spelling: str) -> None:
    message = pushed(f"<MsgType>voice</MsgType><{spelling}> 7\n</{spelling}>")

    assert isinstance(message, messages.Voice)
    assert message.msg_id == "7"


def test_an_unknown_message_type_is_kept_raw() -> None:
    message = pushed("<MsgType>hologram</MsgType><MsgId>7</MsgId><Beam>b</Beam>")

    assert isinstance(message, messages.UnknownMessage)
    assert (message.msgtype, message.msg_id) == ("hologram", "7")
    assert message.payload["Beam"] == "b"


@pytest.mark.parametrize(
    "text",
    [
        "<xml><FromUserName>o</FromUserName><MsgType>text</MsgType></xml>",
        "<xml><CreateTime>1</CreateTime></xml>",
        "<xml><CreateTime>1</CreateTime><MsgType>text</MsgType></xml>",
        document("<MsgType>text</MsgType>", from_user=" "),
        *(
            document("<MsgType>text</MsgType>", create_time=value)
            for value in (
                "",
                "now",
                "-1",
                "1.5.1",
                "1e-3",
                "1e99",
                "１",
                "253402300800",
                "9" * 5000,
            )
        ),
    ],
)
def test_a_push_that_does_not_say_who_sent_it_and_when_is_malformed(text: str) -> None:
    with pytest.raises(BadEnvelope, match=r"^malformed$"):
        inbound.parse(text, Format.XML)


@pytest.mark.parametrize("inner", ["", "<MsgType></MsgType>", "<MsgType><a>1</a></MsgType>"])
def test_a_push_without_its_type_is_a_message_of_an_unknown_one(inner: str) -> None:
    message = pushed(inner)

    assert isinstance(message, messages.UnknownMessage)
    assert message.msgtype == "unknown"


def test_a_name_that_is_too_long_is_stood_for_and_kept_whole() -> None:
    one, two = (pushed("<MsgType>text</MsgType>", from_user=name * 3000) for name in "ab")
    long_type = pushed(f"<MsgType>{'t' * 3000}</MsgType>")

    assert one.from_user.startswith("sha256:")
    assert one.from_user != two.from_user
    assert len(one.from_user) <= 128
    assert one.payload["FromUserName"] == "a" * 3000
    assert long_type.msgtype == "t" * 128
    assert long_type.payload["MsgType"] == "t" * 3000


def test_of_a_repeated_element_the_first_with_a_value_counts() -> None:
    message = pushed(
        "<MsgType>text</MsgType><MSGTYPE>image</MSGTYPE><FromUserName>two</FromUserName>"
        "<CreateTime>1</CreateTime><Content/><Content>first</Content><content>second</content>"
        "<MsgId>7</MsgId><MsgId>8</MsgId>"
    )

    assert isinstance(message, messages.Text)
    assert (message.from_user, message.create_time) == (OPENID, 1795500000)
    assert (message.content, message.msg_id) == ("first", "7")
    assert message.payload["MsgId"] == ["7", "8"]


@pytest.mark.parametrize("create_time", ["1795500000.0", "1795500000.", "1.7955e9", "1.7955E+9"])
def test_a_create_time_may_be_written_as_any_number_of_json(create_time: str) -> None:
    assert pushed("<MsgType>text</MsgType>", create_time=create_time).create_time == 1795500000


@pytest.mark.parametrize("zeros", [3, 6, 9])
def test_a_create_time_may_be_in_milli_micro_or_nanoseconds(zeros: int) -> None:
    message = pushed("<MsgType>text</MsgType>", create_time="1795500000" + "0" * zeros)

    assert message.create_time == 1795500000


@pytest.mark.parametrize("create_time", ["0", "1795500000", "253402300799"])
def test_create_time_may_be_any_second_until_the_year_9999(create_time: str) -> None:
    message = pushed("<MsgType>text</MsgType>", create_time=create_time)

    assert message.create_time == int(create_time)


def test_json_numbers_and_texts_read_the_same() -> None:
    numbers = inbound.parse(
        '{"FromUserName":"o","CreateTime":7,"MsgType":"text","Content":"x","MsgId":9007199254740993}',
        Format.JSON,
    )
    texts = inbound.parse(
        '{"FromUserName":"o","CreateTime":"7","MsgType":"text","Content":"x",'
        '"MsgId":"9007199254740993"}',
        Format.JSON,
    )

    assert numbers == texts
    assert isinstance(numbers, messages.Text)
    assert numbers.msg_id == "9007199254740993"


def test_what_stands_beside_a_ciphertext_is_no_push() -> None:
    with pytest.raises(BadEnvelope, match=r"^mixed_body$"):
        pushed("<MsgType>text</MsgType><Encrypt>abc</Encrypt>")


def test_a_push_shows_nothing_of_a_person_when_it_is_printed() -> None:
    message = pushed("<MsgType>text</MsgType><Content>secret</Content>")

    assert repr(message) == "<Text>"
    assert hash(message) == hash(pushed("<MsgType>text</MsgType><Content>secret</Content>"))


def test_a_push_for_another_account_is_refused() -> None:
    message = pushed("<MsgType>text</MsgType>")

    inbound.require_recipient(message, ORIGINAL_ID)
    inbound.require_recipient(message, None)
    inbound.require_recipient(replace(message, to_user=""), "gh_other")
    with pytest.raises(BadEnvelope, match=r"^wrong_recipient$"):
        inbound.require_recipient(message, "gh_other")


def test_a_push_from_the_future_is_refused() -> None:
    message = pushed("<MsgType>text</MsgType>", create_time="1795500060")
    now = datetime.fromtimestamp(1795500000, UTC)

    inbound.require_past(message, now, 60)
    with pytest.raises(Stale, match=r"^from_the_future$"):
        inbound.require_past(message, now, 59)


def test_a_time_in_milliseconds_is_read_as_one() -> None:
    assert pushed("<MsgType>text</MsgType>", create_time="1795500000123").create_time == 1795500000


@pytest.mark.parametrize(
    "content",
    [
        "【收到不支持的消息类型，暂无法显示】",
        "[收到不支持的消息类型，暂无法显示]",
        "［收到不支持的消息类型, 暂无法显示］",
        " [收到不支持的消息类型]\n",
        "[Unsupported Message]",
        "【Unsupported message type, can't be displayed】",
        "[This message type is not supported]",
        "[Received an unsupported type of message]",
        "[Unable to display: the message is of an unsupported type]",
        "[Message can’t be displayed]",
        "【收到不支持的消息類型，暫無法顯示】",
        "【收到不支援的訊息類型，暫無法顯示】",
        "\u200b【收到不支持的消息类型，暂无法显示】\ufeff",
        "[收到不支持\u2060的消息类型]",
    ],
)
def test_a_text_in_place_of_a_sticker_is_a_message_of_its_own_kind(content: str) -> None:
    message = pushed(f"<MsgType>text</MsgType><Content>{content}</Content>")

    assert isinstance(message, messages.Unsupported)
    assert message.msgtype == "text"


@pytest.mark.parametrize(
    "content",
    [
        "收到不支持的消息类型，暂无法显示",
        "为什么显示【收到不支持的消息类型，暂无法显示】",
        "【收到不支持的消息类型，暂无法显示】是什么意思？",
        "[收到不支持的消息类型][微笑]",
        "[微笑]",
        "[unsupported]",
        "[messages are not supported",
        "[my message]",
        "[unsupported][message]",
        "[收到消息]",
        f"[收到不支持的消息类型{'，' * 100}]",
        "",
    ],
)
def test_what_a_follower_writes_about_such_a_message_is_a_text(content: str) -> None:
    message = pushed(f"<MsgType>text</MsgType><Content>{content}</Content>")

    assert isinstance(message, messages.Text)


def test_a_tapped_item_stays_a_text_whatever_it_says() -> None:
    inner = "<MsgType>text</MsgType><Content>[Unsupported message]</Content>"

    assert isinstance(pushed(f"{inner}<bizmsgmenuid>1</bizmsgmenuid>"), messages.Text)


@pytest.mark.parametrize(
    ("keyword", "is_one"),
    [
        ("【收到不支持的消息类型，暂无法显示】", True),
        ("收到不支持的消息类型，暂无法显示", True),
        ("[Unsupported message]", True),
        ("unsupported message", False),
        ("消息", False),
    ],
)
def test_a_keyword_that_a_follower_can_type_is_not_taken_for_wechats(
    keyword: str, is_one: bool
) -> None:
    assert is_placeholder_keyword(keyword) is is_one
