"""The messages that a rule can send. `msgtype` says which kind a message is.

`via` says how it is sent: "passive" inside the HTTP response, "customer_service" by custom/send.
Source: protocol 5 and 6.
"""

from app.wechat.outbound.base import OF_RULE, STORED, MediaSource, Via
from app.wechat.outbound.customer_service import (
    MediaType,
    MediaUse,
    customer_service_body,
    media_of,
)
from app.wechat.outbound.media_messages import Image, Music, Video, Voice
from app.wechat.outbound.messages import (
    Article,
    MenuItem,
    MpNewsArticle,
    MsgMenu,
    News,
    Text,
    TransferCustomerService,
    WxCard,
    rule_instead,
    text_instead,
)
from app.wechat.outbound.mini_program_card import MiniProgramPage
from app.wechat.outbound.registry import REPLY, Message, Reply

__all__ = [
    "OF_RULE",
    "REPLY",
    "STORED",
    "Article",
    "Image",
    "MediaSource",
    "MediaType",
    "MediaUse",
    "MenuItem",
    "Message",
    "MiniProgramPage",
    "MpNewsArticle",
    "MsgMenu",
    "Music",
    "News",
    "Reply",
    "Text",
    "TransferCustomerService",
    "Via",
    "Video",
    "Voice",
    "WxCard",
    "customer_service_body",
    "media_of",
    "rule_instead",
    "text_instead",
]
