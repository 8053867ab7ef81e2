"""The inside of a push, XML or JSON: the message, its dedupe key, and the row that is written.

An input is the document. Its first byte that is not blank tells the format, as for the endpoint.
"""

from collections.abc import Iterable
from typing import Final

from pydantic import TypeAdapter

from app.callback.record import Record
from app.callback.response import callback_response
from app.settings import MessageMode
from app.wechat.crypto import Format, VerifiedPush
from app.wechat.errors import PushRefused
from app.wechat.ids import AppId
from app.wechat.inbound import dedupe_key, parse
from app.wechat.push_format import decode, format_of
from tests.callback.odd_documents import FOLDER, INDEX
from tests.fuzz.accounts import NOW, arguments_of, record_of
from tests.fuzz.target import Target, Values
from tests.wechat.vectors import APPID, cipher

_RECORD: Final = TypeAdapter(Record)
_CIPHER: Final = cipher(MessageMode.SECURE)
# Of these inputs the record goes through the spool, which takes longer than all the rest.
_SPOOLED_EVERY: Final = 8


def try_case(data: bytes) -> Values:
    """Read a push and return what the database gets."""
    stored = record(data)
    return () if stored is None else arguments_of(stored)


def record(data: bytes) -> Record | None:
    """Return what a push stores; None where it is refused."""
    try:
        format = format_of(data)
        opened = VerifiedPush(decode(data), format, encrypted=True, nonce="7")
        message = parse(opened.text, format)
        stored = record_of(message)
    except PushRefused:
        return None
    callback_response(_CIPHER, opened, message, stored.passive, fixed=False, now=NOW)
    if len(data) % _SPOOLED_EVERY == 0:
        assert _RECORD.validate_json(_RECORD.dump_json(stored)) == stored
        again = parse(stored.payload, Format.JSON)
        assert dedupe_key(AppId(APPID), again) == stored.dedupe_key
    return stored


def seeds() -> Iterable[bytes]:
    """Give the samples, as they are and without blanks, and some odd ones."""
    for entry in INDEX:
        content = (FOLDER / entry["file"]).read_bytes()
        yield content
        yield b" ".join(content.split())
    head = (
        b"<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName>"
        b"<CreateTime>1795500000</CreateTime>"
    )
    for inner in (
        b"<MsgType>text</MsgType><Content>shop 1</Content><MsgId>7</MsgId></xml>",
        b"<MsgType>text</MsgType><Content>&#xD83D;&#xDE00;&#0;</Content></xml>",
        b"<MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_shop</EventKey></xml>",
        b"<MsgType>event</MsgType><Event>SCAN</Event><EventKey>shop</EventKey></xml>",
        b"<MsgType>event</MsgType><Event>unsubscribe</Event></xml>",
        b"<MsgType>location</MsgType><Location_X>31</Location_X><Location_Y>121</Location_Y></xml>",
    ):
        yield head + inner
    yield b'{"CreateTime":1.7955e9,"FromUserName":"o","MsgType":"text","Content":"\\ud83d \\u0000"}'


_WORDS: Final = (
    *("<xml>", "</xml>", "<![CDATA[", "]]>", "<ToUserName>", "<FromUserName>", "<CreateTime>"),
    *("</FromUserName>", "</CreateTime>", "<MsgType>", "</MsgType>", "<Event>", "</Event>"),
    *("<EventKey>", "</EventKey>", "<MsgId>", "<Content>", "</Content>", "<UnionID>", "<OpenID>"),
    *("event", "text", "voice", "subscribe", "unsubscribe", "SCAN", "CLICK", "LOCATION", "VIEW"),
    *("user_info_modified", "user_authorization_revoke", "user_authorization_cancellation"),
    *("subscribe_msg_popup_event", "<SubscribeMsgPopupEvent>", "<List>", "<TemplateId>"),
    *("<PopupScene>", "<SubscribeStatusString>", "subscribe_msg_sent_event", "<ErrorCode>"),
    *("TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH", "<Status>", "<SendPicsInfo>", "<PicList>"),
    *('"ToUserName":', '"FromUserName":', '"CreateTime":', '"MsgType":', '"Event":', '"Content":'),
    *("\\u0000", "\\ud83d", "&#0;", "&#xD83D;", "&amp;", "<!DOCTYPE", "<?xml", "<!--", "shop"),
    *(
        "null",
        "true",
        "[",
        "{",
        "[[",
        "1e99",
        "NaN",
        "qrscene_",
        "\u3000",
        "\ufeff",
        "253402300799",
    ),
)

TARGET: Final = Target(try_case, seeds, _WORDS, max_bytes=8192)
