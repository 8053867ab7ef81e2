"""Data classes by RevokeInfo code, and the pushes that carry each class. Source: protocol 10."""

from collections.abc import Mapping
from typing import Final

from app.tombstones.models import Scope

# No push carries the classes that are NOT_HELD: phone number, address, e-mail and so on.
_BY_CODE: Final[Mapping[str, Mapping[str, Scope]]] = {
    "oa": {
        "201": Scope.NOT_HELD,
        "202": Scope.INVOICE,
        "203": Scope.CARD,
        "204": Scope.VOICE,
        "205": Scope.PROFILE,
        "206": Scope.LOCATION,
        "207": Scope.PICTURES,
    },
    "mini_program": {
        **dict.fromkeys(("1", "2", "4", "8", "12", "16"), Scope.NOT_HELD),
        "3": Scope.INVOICE,
        "5": Scope.VOICE,
        **dict.fromkeys(("6", "19", "20"), Scope.PROFILE),
        **dict.fromkeys(("7", "14", "15"), Scope.PICTURES),
        **dict.fromkeys(("13", "18"), Scope.LOCATION),
    },
}


# Message types and events by the class of data that they carry.
KINDS: Final[Mapping[Scope, tuple[str, ...]]] = {
    Scope.LOCATION: ("location", "LOCATION", "location_select"),
    Scope.PICTURES: (
        *("image", "video", "shortvideo", "file"),
        *("pic_sysphoto", "pic_photo_or_album", "pic_weixin"),
    ),
    Scope.VOICE: ("voice",),
    Scope.INVOICE: ("user_authorize_invoice", "cloud_invoice_invoiceresult_event"),
    Scope.CARD: (
        *("user_get_card", "user_del_card", "user_consume_card", "user_gifting_card"),
        *("user_view_card", "user_enter_session_from_card", "user_pay_from_pay_cell"),
        *("submit_membercard_user_info", "update_member_card", "giftcard_pay_done"),
    ),
}


# Members that carry a nickname or a picture of the person. They are compared in lower case, because
# pushes spell them in several ways.
PROFILE_MEMBERS: Final = ("nickname", "headimgurl", "avatarurl")


def scope_of_code(kind: str, code: str | None) -> Scope:
    """Return what a RevokeInfo code erases at this kind of account: `oa` or `mini_program`.

    A code that is missing or unknown erases the whole content: rather too much than too little.
    """
    return _BY_CODE[kind].get(code or "", Scope.CONTENT)
