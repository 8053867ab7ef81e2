"""What the scene of a launch says about the door. Pure. Source: protocol 9.8; linkage 11.1.

The number is stored and the group is found when it is read, since WeChat adds scenes several times
a year.
"""

from enum import StrEnum
from typing import Final


class SceneGroup(StrEnum):
    """Where somebody came from. The first six are doors of an Official Account.

    menu: its custom menu. card, text_link: in the conversation with it. notice: a template message
    or a subscription notice; a mini-program's own notices have the same scene. article: an article
    of an account. account: its profile or its conversation page. web: a web page of ours. link: a
    URL Scheme or URL Link. code: a QR code or a mini-program code. crawler: WeChat's crawler.
    """

    MENU = "menu"
    CARD = "card"
    TEXT_LINK = "text_link"
    NOTICE = "notice"
    ARTICLE = "article"
    ACCOUNT = "account"
    WEB = "web"
    LINK = "link"
    CODE = "code"
    CRAWLER = "crawler"
    OTHER = "other"


_SCENES: Final = {
    SceneGroup.MENU: (1035,),
    SceneGroup.CARD: (1074,),
    SceneGroup.TEXT_LINK: (1082,),
    SceneGroup.NOTICE: (1014, 1043, 1107),
    SceneGroup.ARTICLE: (1058, 1091, 1144),
    SceneGroup.ACCOUNT: (1020, 1102, 1157),
    SceneGroup.WEB: (1167,),
    SceneGroup.LINK: (1065, 1069, 1194, 1286),
    SceneGroup.CODE: (1011, 1012, 1013, 1047, 1048, 1049),
    SceneGroup.CRAWLER: (1129,),
}
_GROUPS: Final = {scene: group for group, scenes in _SCENES.items() for scene in scenes}
OF_ACCOUNT: Final = frozenset(
    {
        SceneGroup.MENU,
        SceneGroup.CARD,
        SceneGroup.TEXT_LINK,
        SceneGroup.NOTICE,
        SceneGroup.ARTICLE,
        SceneGroup.ACCOUNT,
    }
)
# WeChat documents the AppID of the referrer to be that of an Official Account for these alone.
REFERRED_BY_ACCOUNT: Final = frozenset({1020, 1035, 1043})


def group_of(scene: int | None) -> SceneGroup:
    """Return the group of a scene; other for one that is not in the table."""
    return SceneGroup.OTHER if scene is None else _GROUPS.get(scene, SceneGroup.OTHER)
