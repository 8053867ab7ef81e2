"""What types of buttons, states of versions and kinds of changes are called. Pure."""

from typing import Final

from app.console.labels import Label, Level
from app.console.messages import N_
from app.menus.button_types import ButtonType
from app.menus.difference import ChangeKind
from app.menus.models import VersionState

TYPES: Final = {
    ButtonType.CLICK: N_("answer with a rule"),
    ButtonType.VIEW: N_("open a web page"),
    ButtonType.MINIPROGRAM: N_("open a mini-program"),
    ButtonType.SCANCODE_PUSH: N_("scan a code and show the result"),
    ButtonType.SCANCODE_WAITMSG: N_("scan a code and wait for a reply"),
    ButtonType.PIC_SYSPHOTO: N_("take a picture"),
    ButtonType.PIC_PHOTO_OR_ALBUM: N_("take or choose a picture"),
    ButtonType.PIC_WEIXIN: N_("choose a picture of WeChat's album"),
    ButtonType.LOCATION_SELECT: N_("send a location"),
    ButtonType.MEDIA_ID: N_("send permanent material"),
    ButtonType.VIEW_LIMITED: N_("open an article of old material"),
    ButtonType.ARTICLE_ID: N_("send a published article"),
    ButtonType.ARTICLE_VIEW_LIMITED: N_("open a published article"),
}
NO_TYPE: Final = N_("none: opens a sub-menu")
STATES: Final = {
    VersionState.PUBLISHING: Label(N_("is being published"), Level.ACTIVE),
    VersionState.WITHDRAWING: Label(N_("is being withdrawn"), Level.LOOK),
    VersionState.PUBLISHED: Label(N_("published"), Level.GOOD),
    VersionState.FAILED: Label(N_("refused by WeChat"), Level.FAULT),
    VersionState.STOPPED: Label(N_("stopped"), Level.NEUTRAL),
    VersionState.FOUND: Label(N_("found at WeChat"), Level.NEUTRAL),
}
CHANGES: Final = {
    ChangeKind.ADDED: Label(N_("added"), Level.GOOD),
    ChangeKind.REMOVED: Label(N_("removed"), Level.FAULT),
    ChangeKind.CHANGED: Label(N_("changed"), Level.LOOK),
}
MEMBERS: Final = {
    "key": N_("Key"),
    "url": N_("Address of the web page"),
    "appid": N_("Mini-program"),
    "pagepath": N_("Page of the mini-program"),
    "media_id": N_("Permanent material (media_id)"),
    "article_id": N_("Published article (article_id)"),
}
# The checks of the API are English alone, so each errcode has a sentence of its own here.
PROBLEMS: Final = {
    40016: N_("A menu has 1 to 3 buttons."),
    40017: N_("Choose what a tap does, or add a sub-menu."),
    40018: N_("A name has 1 to 16 bytes, which are 5 Chinese characters."),
    40019: N_("A key has 1 to 128 bytes."),
    40020: N_("An address has 1 to 1,024 bytes."),
    40023: N_("A sub-menu has 1 to 5 buttons."),
    40024: N_("Choose what a tap does, or add a sub-menu."),
    40025: N_("A name in a sub-menu has 1 to 60 bytes, which are 20 Chinese characters."),
    40026: N_("A key has 1 to 128 bytes."),
    40027: N_("An address has 1 to 1,024 bytes."),
    40033: N_("Write the character itself in place of \\u."),
    40054: N_("Write an address that begins with https:// and has no blanks."),
    40055: N_("Write an address that begins with https:// and has no blanks."),
    40007: N_("Name permanent material."),
    40165: N_(
        "Write the page as in app.json, without a slash in front; the placeholders are {ref}, "
        "{version} and {account}."
    ),
    40166: N_("Choose a mini-program that is configured, by its AppID."),
    53600: N_("Name a published article."),
    65304: N_("Choose a tag, a platform, or both."),
    65307: N_("A menu has 1 to 3 buttons."),
    65308: N_("Choose what a tap does, or add a sub-menu."),
    65316: N_("All conditional menus together may open web pages of 3 domains."),
    65317: N_("Write an address that begins with https:// and has no blanks."),
}
KEY_PROBLEM: Final = N_("Another button of this menu has this key, or it has blanks at its ends.")
NAME_HINT: Final = N_("Phones cut this name after about 4 Chinese characters, in a sub-menu 8.")
URL_HINT: Final = N_("This address is not encrypted: use https://.")
RULE_HINT: Final = N_("Nobody gets this menu: an earlier one is for all of these followers.")
OTHER_PROBLEM: Final = N_("Does not belong to this kind of button.")
