"""What messages, their fates and the triggers of rules are called."""

from collections.abc import Mapping
from typing import Final

from app.callback.message_filter import Fate
from app.console.labels import FATES, UNCERTAIN, Label, Level, named
from app.console.messages import N_
from app.replies.models import ReplyStatus, RetryResult, Via

KINDS: Final[Mapping[str, str]] = {
    "text": N_("Text"),
    "image": N_("Picture"),
    "voice": N_("Voice"),
    "video": N_("Video"),
    "shortvideo": N_("Short video"),
    "location": N_("Place"),
    "link": N_("Link"),
    "file": N_("File"),
    "miniprogrampage": N_("Mini-program card"),
    "subscribe": N_("Follow"),
    "unsubscribe": N_("Unfollow"),
    "SCAN": N_("Scan of a QR code"),
    "CLICK": N_("Menu tap"),
    "VIEW": N_("Menu link"),
    "view_miniprogram": N_("Menu to a mini-program"),
    "subscribe_msg_popup_event": N_("Answer to a subscription popup"),
    "subscribe_msg_change_event": N_("Change of a subscription"),
    "subscribe_msg_sent_event": N_("Delivery of a subscription notice"),
}
MESSAGE_FATES: Final[Mapping[Fate, Label]] = {
    Fate.UNANSWERED: Label(N_("No rule answered"), Level.LOOK),
    Fate.PASSIVE: Label(N_("Answered at once"), Level.GOOD, N_("went with the response to WeChat")),
    Fate.UNCERTAIN: UNCERTAIN,
    **{Fate(status.value): FATES[status] for status in ReplyStatus},
}
VIAS: Final[Mapping[Via, str]] = {
    Via.PASSIVE: N_("in the response to WeChat"),
    Via.CUSTOMER_SERVICE: N_("as a customer-service message"),
}
REPLY_KINDS: Final[Mapping[str, str]] = {
    "text": N_("Text"),
    "image": N_("Picture"),
    "voice": N_("Voice"),
    "video": N_("Video"),
    "music": N_("Music"),
    "news": N_("Article"),
    "miniprogrampage": N_("Mini-program card"),
    "transfer_customer_service": N_("Hand-over to an agent"),
}
TRIGGERS: Final[Mapping[str, str]] = {
    "exact": N_("the text is"),
    "prefix": N_("the text begins with"),
    "suffix": N_("the text ends with"),
    "all": N_("the text has all of"),
    "contains": N_("the text has"),
    "any": N_("the text has any of"),
    "regex": N_("the text matches the pattern"),
    "subscribe": N_("somebody follows"),
    "unsubscribe": N_("somebody unfollows"),
    "scan": N_("a QR code is scanned"),
    "click": N_("a menu item is tapped"),
    "view": N_("a menu link is opened"),
    "view_miniprogram": N_("a mini-program is opened from the menu"),
    "subscribe_msg": N_("a subscription is answered"),
    "location": N_("a place is sent"),
    "event": N_("an event comes"),
    "fallback": N_("no other rule answers"),
}
RETRY_RESULTS: Final[Mapping[RetryResult, Label]] = {
    RetryResult.QUEUED: Label(N_("Sent again"), Level.GOOD),
    RetryResult.REFUSED: Label(
        N_("Left alone"),
        Level.NEUTRAL,
        N_("it was sent meanwhile, waits to be sent, or its send window has ended"),
    ),
}
DONE: Final[Mapping[str, tuple[Level, str]]] = {
    "queued": (Level.GOOD, N_("The reply is sent again.")),
    "refused": (
        Level.LOOK,
        N_("The reply can't be sent again: it is sent, being sent, or its window has ended."),
    ),
}


def fate_of_reply(status: ReplyStatus, *, uncertain: bool) -> Label:
    """Return the name of what became of a reply."""
    return UNCERTAIN if uncertain else named(FATES, status)
