"""The tabs of the list of rules, and what a rule is called in it. Pure."""

from typing import Final, NamedTuple

from app.console.messages import N_
from app.rules.definition.schemas import RuleOut
from app.rules.definition.triggers import (
    EventTrigger,
    LocationTrigger,
    MsgMenuTrigger,
    SubscribeMsgTrigger,
    TextTrigger,
    keys_of,
)


class Tab(NamedTuple):
    """A tab. kinds: the triggers of its rules; the first one is that of a new rule."""

    label: str
    kinds: tuple[str, ...]
    empty: str


TABS: Final = {
    "keywords": Tab(
        N_("Keyword replies"),
        ("text", "msgmenu"),
        N_("A rule that answers what followers type."),
    ),
    "fallback": Tab(
        N_("Message reply"),
        ("fallback",),
        N_("A rule that answers the messages that no other rule answers."),
    ),
    "subscribe": Tab(
        N_("Welcome reply"), ("subscribe",), N_("A rule that welcomes whoever follows.")
    ),
    "taps": Tab(
        N_("Menu taps"),
        ("click", "view", "view_miniprogram"),
        N_("A rule that answers a tap on the custom menu."),
    ),
    "scans": Tab(N_("Scans"), ("scan",), N_("A rule that answers the scan of a QR code.")),
    "events": Tab(
        N_("Other events"),
        ("subscribe_msg", "location", "event", "unsupported", "unsubscribe"),
        N_("A rule that answers a place, a sticker, a notification's result or another event."),
    ),
}


def tab_of(on: str) -> str:
    """Return the name of the tab in which rules with a kind of trigger are."""
    return next((name for name, tab in TABS.items() if on in tab.kinds), "keywords")


def words_of(rule: RuleOut) -> list[str]:
    """Return what the trigger of a rule waits for: keywords, a scene, a key, a place…"""
    trigger = rule.trigger
    match trigger:
        case TextTrigger():
            return [*(trigger.keywords or (trigger.keyword or "",))]
        case MsgMenuTrigger(id=name) | EventTrigger(name=name):
            return [name]
        case LocationTrigger():
            return [f"{trigger.latitude}, {trigger.longitude} ± {trigger.radius_metres} m"]
        case SubscribeMsgTrigger():
            return [word for word in (trigger.template, trigger.status) if word]
    key, prefix = keys_of(trigger) or (getattr(trigger, "key", None), None)
    return [key] if key else [f"{prefix}…"] if prefix else []
