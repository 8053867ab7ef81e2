"""Messages that a person sends. Source: protocol 4.2."""

from typing import Annotated, ClassVar, Literal

from app.value_class import value_class
from app.wechat.inbound.base import Push
from app.wechat.inbound.decode_elements import Element, verbatim


@value_class(kw_only=True, repr=False)
class BaseMessage(Push):
    """A message. msg_id: the same on every retry, but not unique across senders.

    msg_data_id, idx: the published article from which it was sent, and the number in it, from 1.
    """

    msg_id: Annotated[str | None, Element("MsgId")] = None
    msg_data_id: Annotated[str | None, Element("MsgDataId")] = None
    idx: Annotated[str | None, Element("Idx")] = None


@value_class(kw_only=True, repr=False)
class Text(BaseMessage):
    """Text as typed, with its blanks.

    bizmsgmenuid: the item that was tapped in a `msgmenu`; this opens the send window of a menu tap.
    """

    msgtype: ClassVar[Literal["text"]] = "text"
    content: Annotated[str, Element("Content", read=verbatim)] = ""
    bizmsgmenuid: Annotated[str | None, Element("bizmsgmenuid")] = None
    business_id: Annotated[str | None, Element("BusinessId")] = None


@value_class(kw_only=True, repr=False)
class Unsupported(BaseMessage):
    """A sticker, or something else that an account can't receive: WeChat pushes a text about it.

    content: WeChat's words, see `unsupported`.
    """

    msgtype: ClassVar[Literal["text"]] = "text"
    content: Annotated[str, Element("Content", read=verbatim)] = ""


@value_class(kw_only=True, repr=False)
class Image(BaseMessage):
    """A picture."""

    msgtype: ClassVar[Literal["image"]] = "image"
    pic_url: Annotated[str | None, Element("PicUrl")] = None
    media_id: Annotated[str | None, Element("MediaId")] = None


@value_class(kw_only=True, repr=False)
class Voice(BaseMessage):
    """A voice message. recognition: only where speech recognition is still enabled."""

    msgtype: ClassVar[Literal["voice"]] = "voice"
    media_id: Annotated[str | None, Element("MediaId")] = None
    format: Annotated[str | None, Element("Format")] = None
    recognition: Annotated[str, Element("Recognition", read=verbatim)] = ""
    media_id_16k: Annotated[str | None, Element("MediaId16K")] = None


@value_class(kw_only=True, repr=False)
class Video(BaseMessage):
    """A video."""

    msgtype: ClassVar[Literal["video"]] = "video"
    media_id: Annotated[str | None, Element("MediaId")] = None
    thumb_media_id: Annotated[str | None, Element("ThumbMediaId")] = None


@value_class(kw_only=True, repr=False)
class ShortVideo(BaseMessage):
    """A video that was taken inside the chat."""

    msgtype: ClassVar[Literal["shortvideo"]] = "shortvideo"
    media_id: Annotated[str | None, Element("MediaId")] = None
    thumb_media_id: Annotated[str | None, Element("ThumbMediaId")] = None


@value_class(kw_only=True, repr=False)
class Location(BaseMessage):
    """A place that a person sent. location_x: latitude, location_y: longitude, in degrees."""

    msgtype: ClassVar[Literal["location"]] = "location"
    location_x: Annotated[str | None, Element("Location_X")] = None
    location_y: Annotated[str | None, Element("Location_Y")] = None
    scale: Annotated[str | None, Element("Scale")] = None
    label: Annotated[str, Element("Label", read=verbatim)] = ""


@value_class(kw_only=True, repr=False)
class Link(BaseMessage):
    """A shared web page."""

    msgtype: ClassVar[Literal["link"]] = "link"
    title: Annotated[str, Element("Title", read=verbatim)] = ""
    description: Annotated[str, Element("Description", read=verbatim)] = ""
    url: Annotated[str | None, Element("Url")] = None


@value_class(kw_only=True, repr=False)
class File(BaseMessage):
    """A file. WeChat does not document it for OAs, but sends it. file_total_len: bytes."""

    msgtype: ClassVar[Literal["file"]] = "file"
    title: Annotated[str, Element("Title", read=verbatim)] = ""
    description: Annotated[str, Element("Description", read=verbatim)] = ""
    file_key: Annotated[str | None, Element("FileKey")] = None
    file_md5: Annotated[str | None, Element("FileMd5")] = None
    file_total_len: Annotated[str | None, Element("FileTotalLen")] = None


@value_class(kw_only=True, repr=False)
class MiniProgramPage(BaseMessage):
    """A mini-program card that was sent to a mini-program's customer service."""

    msgtype: ClassVar[Literal["miniprogrampage"]] = "miniprogrampage"
    title: Annotated[str, Element("Title", read=verbatim)] = ""
    appid: Annotated[str | None, Element("AppId")] = None
    page_path: Annotated[str | None, Element("PagePath")] = None
    thumb_url: Annotated[str | None, Element("ThumbUrl")] = None
    thumb_media_id: Annotated[str | None, Element("ThumbMediaId")] = None


@value_class(kw_only=True, repr=False)
class UnknownMessage(BaseMessage):
    """A message whose MsgType the protocol reference does not name; see its payload."""

    msgtype: str
