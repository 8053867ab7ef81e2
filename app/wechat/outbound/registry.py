"""All that can be sent, as one type."""

from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from app.wechat.outbound.media_messages import Image, Music, Video, Voice
from app.wechat.outbound.messages import (
    MpNewsArticle,
    MsgMenu,
    News,
    Text,
    TransferCustomerService,
    WxCard,
)
from app.wechat.outbound.mini_program_card import MiniProgramPage

Message = (
    Text
    | Image
    | Voice
    | Video
    | Music
    | News
    | MiniProgramPage
    | MsgMenu
    | MpNewsArticle
    | WxCard
    | TransferCustomerService
)

Reply = Annotated[Message, Field(discriminator="msgtype")]
"""Any sendable message, for use as a field's type."""

REPLY: Final[TypeAdapter[Message]] = TypeAdapter(Reply)
"""Reads one back as it is stored."""
