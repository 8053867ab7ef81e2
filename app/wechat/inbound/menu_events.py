"""Events: taps on the custom menu. Source: protocol 4.3.

Only `click`, `scancode_push` and `scancode_waitmsg` open a send window (protocol 6.1).
"""

from typing import Annotated, ClassVar, Literal

from app.value_class import value_class
from app.wechat.inbound.base import BaseEvent
from app.wechat.inbound.decode_elements import Element, several, verbatim


@value_class(kw_only=True, repr=False)
class MenuEvent(BaseEvent):
    """A tap. event_key: the menu item's key, URL or mini-program path, depending on its kind."""

    event_key: Annotated[str | None, Element("EventKey")] = None


@value_class(kw_only=True, repr=False)
class Click(MenuEvent):
    """A tap on an item with a key."""

    event: ClassVar[Literal["CLICK"]] = "CLICK"


@value_class(kw_only=True, repr=False)
class View(MenuEvent):
    """A tap that opened a web page. menu_id: only with conditional menus."""

    event: ClassVar[Literal["VIEW"]] = "VIEW"
    menu_id: Annotated[str | None, Element("MenuId")] = None


@value_class(kw_only=True, repr=False)
class ViewMiniProgram(MenuEvent):
    """A tap that opened a mini-program."""

    event: ClassVar[Literal["view_miniprogram"]] = "view_miniprogram"
    menu_id: Annotated[str | None, Element("MenuId")] = None


@value_class(kw_only=True, repr=False)
class ScanCodeEvent(MenuEvent):
    """A code was scanned. scan_type: `qrcode`, `barcode`… scan_result: the content of the code."""

    scan_type: Annotated[str | None, Element("ScanCodeInfo.ScanType")] = None
    scan_result: Annotated[str, Element("ScanCodeInfo.ScanResult", read=verbatim)] = ""


@value_class(kw_only=True, repr=False)
class ScanCodePush(ScanCodeEvent):
    """A code was scanned, and WeChat showed the result."""

    event: ClassVar[Literal["scancode_push"]] = "scancode_push"


@value_class(kw_only=True, repr=False)
class ScanCodeWaitMsg(ScanCodeEvent):
    """A code was scanned, and the person waits for a reply."""

    event: ClassVar[Literal["scancode_waitmsg"]] = "scancode_waitmsg"


@value_class(kw_only=True)
class Picture:
    """One of the pictures that follow as image messages."""

    pic_md5_sum: Annotated[str | None, Element("PicMd5Sum")] = None


@value_class(kw_only=True, repr=False)
class PictureEvent(MenuEvent):
    """Pictures were sent. count: as WeChat reports it; `pictures` may hold another number."""

    count: Annotated[str | None, Element("SendPicsInfo.Count")] = None
    pictures: Annotated[
        tuple[Picture, ...],
        Element("SendPicsInfo.PicList.item", "SendPicsInfo.PicList", read=several(Picture)),
    ] = ()


@value_class(kw_only=True, repr=False)
class PicSysPhoto(PictureEvent):
    """Pictures were taken."""

    event: ClassVar[Literal["pic_sysphoto"]] = "pic_sysphoto"


@value_class(kw_only=True, repr=False)
class PicPhotoOrAlbum(PictureEvent):
    """Pictures were taken or chosen."""

    event: ClassVar[Literal["pic_photo_or_album"]] = "pic_photo_or_album"


@value_class(kw_only=True, repr=False)
class PicWeixin(PictureEvent):
    """Pictures were chosen from WeChat's album."""

    event: ClassVar[Literal["pic_weixin"]] = "pic_weixin"


@value_class(kw_only=True, repr=False)
class LocationSelect(MenuEvent):
    """A place was chosen; a location message follows. location_x: latitude in degrees."""

    event: ClassVar[Literal["location_select"]] = "location_select"
    location_x: Annotated[str | None, Element("SendLocationInfo.Location_X")] = None
    location_y: Annotated[str | None, Element("SendLocationInfo.Location_Y")] = None
    scale: Annotated[str | None, Element("SendLocationInfo.Scale")] = None
    label: Annotated[str, Element("SendLocationInfo.Label", read=verbatim)] = ""
    poiname: Annotated[str, Element("SendLocationInfo.Poiname", read=verbatim)] = ""
