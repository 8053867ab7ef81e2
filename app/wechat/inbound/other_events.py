"""Events that are only stored and acknowledged. Source: protocol 4.3."""

from typing import Annotated

from app.value_class import value_class
from app.wechat.inbound.base import BaseEvent
from app.wechat.inbound.decode_elements import Element

CARD_AND_GUIDE_EVENTS = (
    *("user_get_card", "user_del_card", "user_consume_card", "user_gifting_card"),
    *("user_view_card", "user_enter_session_from_card", "user_pay_from_pay_cell"),
    *("submit_membercard_user_info", "update_member_card", "card_pass_check"),
    *("card_not_pass_check", "card_sku_remind", "card_pay_order"),
    *("guide_qrcode_scan_event", "guide_invite_result_event"),
)
_RETIRED_OR_NOT_OF_AN_OA = (
    "wxa_media_check",
    "ENTER",
    "WifiConnected",
    "ShakearoundUserShake",
    "poi_check_notify",
    "merchant_order",
)
_CANONICAL = {name.lower(): name for name in (*CARD_AND_GUIDE_EVENTS, *_RETIRED_OR_NOT_OF_AN_OA)}
_FAMILIES = ("add_guide_", "del_guide_", "user_scan_product")


@value_class(kw_only=True, repr=False)
class OtherEvent(BaseEvent):
    """An event of the card or guide family, of a retired product, or not meant for an OA."""

    event: str
    card_id: Annotated[str | None, Element("CardId")] = None
    user_card_code: Annotated[str | None, Element("UserCardCode")] = None


@value_class(kw_only=True, repr=False)
class UnknownEvent(BaseEvent):
    """An event that the protocol reference does not have, or that nobody sent; see its payload."""

    event: str


def other_name(event: str) -> str | None:
    """Return the canonical name of an OtherEvent; None for any other name."""
    name = event.lower()
    if name.startswith(_FAMILIES):
        return name
    return _CANONICAL.get(name)
