"""What the values of arrivals are called on the pages."""

from collections.abc import Mapping
from typing import Final

from app.arrivals.models import ArrivalKind, Basis, Door, LeftOut
from app.arrivals.scenes import SceneGroup
from app.console.labels import Label, Level
from app.console.messages import N_

KINDS: Final[Mapping[ArrivalKind, str]] = {
    ArrivalKind.LAUNCH: N_("Launch"),
    ArrivalKind.CONVERSION: N_("Conversion"),
}
DOORS: Final[Mapping[Door, str]] = {
    Door.REPLY: N_("Reply"),
    Door.MENU: N_("Menu"),
    Door.NOTICE: N_("Notice"),
    Door.LINK: N_("Link"),
}
BASES: Final[Mapping[Basis, str]] = {
    Basis.REF: N_("Ref"),
    Basis.SCENE: N_("Scene"),
    Basis.LAUNCH: N_("Last launch"),
    Basis.NONE: N_("Nothing known"),
}
BADGES: Final[Mapping[Basis, Label]] = {
    Basis.REF: Label(BASES[Basis.REF], Level.GOOD, N_("the ref of what was sent came back")),
    Basis.SCENE: Label(
        BASES[Basis.SCENE],
        Level.LOOK,
        N_("weaker: by the scene and what was sent last to this person"),
    ),
    Basis.LAUNCH: Label(
        BASES[Basis.LAUNCH], Level.LOOK, N_("weaker: by the last launch of this person")
    ),
    Basis.NONE: Label(BASES[Basis.NONE], help=N_("neither a ref nor a scene of ours")),
}
WAITS: Final = Label(
    N_("Not looked for yet"), Level.ACTIVE, N_("its door is looked for within a minute or two")
)
LEFT_OUT: Final[Mapping[LeftOut, str]] = {
    LeftOut.CRAWLER: N_("not counted: WeChat's crawler"),
    LeftOut.REPEAT: N_("not counted: the same launch a moment before"),
    LeftOut.FORWARDED: N_("not counted: was sent to somebody else"),
}
GROUPS: Final[Mapping[SceneGroup, str]] = {
    SceneGroup.MENU: N_("menu of an Official Account"),
    SceneGroup.CARD: N_("card in a conversation"),
    SceneGroup.TEXT_LINK: N_("text link in a conversation"),
    SceneGroup.NOTICE: N_("template message or notice"),
    SceneGroup.ARTICLE: N_("article"),
    SceneGroup.ACCOUNT: N_("profile of an Official Account"),
    SceneGroup.WEB: N_("web page"),
    SceneGroup.LINK: N_("URL Scheme or URL Link"),
    SceneGroup.CODE: N_("QR code or mini-program code"),
    SceneGroup.CRAWLER: N_("crawler"),
    SceneGroup.OTHER: N_("other"),
}
