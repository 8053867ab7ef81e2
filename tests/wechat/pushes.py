"""Pushes as WeChat writes them, for tests that read them."""

from app.wechat import inbound
from app.wechat.crypto import Format

OPENID = "oDEMO0aBcDeFgHiJkLmNoPqRsTuV"
ORIGINAL_ID = "gh_demo0000001"


def document(inner: str, *, create_time: str = "1795500000", from_user: str = OPENID) -> str:
    """A plain XML push: the common elements and `inner`."""
    return (
        f"<xml><ToUserName><![CDATA[{ORIGINAL_ID}]]></ToUserName>"
        f"<FromUserName><![CDATA[{from_user}]]></FromUserName>"
        f"<CreateTime>{create_time}</CreateTime>{inner}</xml>"
    )


def pushed(
    inner: str, *, create_time: str = "1795500000", from_user: str = OPENID
) -> inbound.Inbound:
    """The same, parsed."""
    return inbound.parse(document(inner, create_time=create_time, from_user=from_user), Format.XML)


def event(name: str, inner: str = "") -> inbound.Inbound:
    """An event of that name, parsed."""
    return pushed(f"<MsgType>event</MsgType><Event><![CDATA[{name}]]></Event>{inner}")
