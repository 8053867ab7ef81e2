"""The effects of a follower's action on WeChat's side, and what the chat shows of it."""

from datetime import datetime

from simulator.documents import JsonObject
from simulator.followers import Follower
from simulator.state import State
from simulator.windows import trigger_of

SCENE_PREFIX = "qrscene_"
UNAVAILABLE = "该公众号提供的服务出现故障，请稍后再试"
# Events that a person causes in the chat, so that the chat shows the reply to them.
ANSWERABLE_EVENTS = frozenset(
    {
        "subscribe",
        "scan",
        "click",
        "view",
        "view_miniprogram",
        "scancode_push",
        "scancode_waitmsg",
        "pic_sysphoto",
        "pic_photo_or_album",
        "pic_weixin",
        "location_select",
    }
)
CONSENT_EVENTS = ("subscribe_msg_popup_event", "subscribe_msg_change_event")
CONSENT_WRAPPERS = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent")
PERSONAL_EVENTS = ANSWERABLE_EVENTS | {
    "unsubscribe",
    "location",
    "subscribe_msg_popup_event",
    "subscribe_msg_change_event",
}


def event_of(document: JsonObject) -> str | None:
    """Return the name of the event in lower case; None for a message."""
    if document.get("MsgType") != "event":
        return None
    return str(document.get("Event", "")).lower()


def is_answerable(document: JsonObject) -> bool:
    """Tell whether the chat shows the reply to this push."""
    event = event_of(document)
    return bool(document) and (event is None or event in ANSWERABLE_EVENTS)


def is_personal(document: JsonObject) -> bool:
    """Tell whether a person caused this push, and not the platform (FINISH and privacy events)."""
    event = event_of(document)
    return bool(document) and (event is None or event in PERSONAL_EVENTS)


def apply(document: JsonObject, follower: Follower, now: datetime) -> None:
    """Apply the action behind a push: follow, unfollow, open a send window."""
    event = event_of(document)
    if event == "subscribe":
        key = str(document.get("EventKey") or "")
        follower.follow(now, key.removeprefix(SCENE_PREFIX))
    elif event == "unsubscribe":
        follower.unfollow()
    trigger = trigger_of(document)
    if trigger is not None and follower.following:
        follower.windows.open(trigger, now)
        follower.last_exchange = now


def decisions_of(document: JsonObject) -> list[tuple[str, str]]:
    """Return what a person decided about templates: the template and the status of each."""
    if event_of(document) not in CONSENT_EVENTS:
        return []
    wrapped = next((document[name] for name in CONSENT_WRAPPERS if name in document), document)
    items = wrapped.get("List") if isinstance(wrapped, dict) else None
    found = items if isinstance(items, list) else [items]
    return [
        (str(item.get("TemplateId")), str(item.get("SubscribeStatusString")))
        for item in found
        if isinstance(item, dict)
    ]


def show_action(document: JsonObject, follower: Follower, state: State) -> None:
    """Show the action in the person's chat."""
    kind = str(document.get("Event") or document.get("MsgType"))
    envelope = ("ToUserName", "FromUserName", "CreateTime", "MsgType", "Event")
    content = {name: value for name, value in document.items() if name not in envelope}
    state.show(follower, "follower", kind, content)
