"""All outbound messages as one type."""

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
"""Any outbound message, as the type of a field."""

REPLY: Final[TypeAdapter[Message]] = TypeAdapter(Reply)
"""Reads a stored message."""
