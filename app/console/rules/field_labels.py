"""What the members of rules, and their values, are called in the editor."""

from collections.abc import Callable, Mapping
from typing import Final

from app.console.messages import N_

LABELS: Final[Mapping[str, str]] = {
    "name": N_("Rule name"),
    "EventTrigger.name": N_("Name of the event"),
    "appid": N_("Official Account"),
    "MiniProgramPage.appid": N_("Mini-program (AppID)"),
    "enabled": N_("Switched on"),
    "priority": N_("Priority"),
    "trigger": N_("Trigger"),
    "conditions": N_("Conditions"),
    "replies": N_("Content of the reply"),
    "utm": N_("UTM parameters"),
    "on": N_("Kind"),
    "msgtype": N_("Kind"),
    "match": N_("Match kind"),
    "keyword": N_("Keyword"),
    "keywords": N_("Keywords, one a line"),
    "not": N_("Answer what does not match"),
    "raw": N_("Compare exactly as typed"),
    "voice": N_("Also answer voice messages"),
    "MsgMenuTrigger.id": N_("Id of the choice (bizmsgmenuid)"),
    "MenuItem.id": N_("Id of the choice (bizmsgmenuid)"),
    "scene": N_("Scene"),
    "scene_prefix": N_("Scene starts with"),
    "ClickTrigger.key": N_("Key of the menu item"),
    "ViewTrigger.url": N_("Address of the page"),
    "url_prefix": N_("Address starts with"),
    "pagepath": N_("Page path of the mini-program"),
    "pagepath_prefix": N_("Page path starts with"),
    "template": N_("Template id"),
    "status": N_("Result"),
    "latitude": N_("Latitude"),
    "longitude": N_("Longitude"),
    "radius_metres": N_("Radius in metres"),
    "from": N_("Answer from"),
    "until": N_("Answer until"),
    "hours": N_("Daily hours"),
    "start": N_("Start, as 09:30"),
    "end": N_("End, as 18:00"),
    "tz": N_("Time zone"),
    "days": N_("Days of the week"),
    "follower": N_("Follower"),
    "state": N_("State of the follower"),
    "min_age_seconds": N_("Has followed for at least, in seconds"),
    "max_age_seconds": N_("Has followed for at most, in seconds"),
    "unionid": N_("UnionID known?"),
    "cooldown_seconds": N_("Cooldown in seconds"),
    "share": N_("Share of the followers"),
    "percent": N_("Percent"),
    "salt": N_("Salt"),
    "via": N_("Sent as"),
    "content": N_("Text"),
    "otherwise": N_("Text in the response if this reply can't be sent"),
    "otherwise_rule": N_("or the name of a rule that answers instead"),
    "Utm.content": N_("utm_content"),
    "source": N_("utm_source"),
    "medium": N_("utm_medium"),
    "campaign": N_("utm_campaign"),
    "term": N_("utm_term"),
    "media": N_("File"),
    "MediaSource.file": N_("File in the media folder"),
    "MediaSource.url": N_("or address of a file"),
    "MediaSource.media_id": N_("or media_id at WeChat"),
    "thumb": N_("Picture"),
    "title": N_("Title"),
    "description": N_("Description"),
    "musicurl": N_("Address of the music"),
    "hqmusicurl": N_("Address of the music in high quality"),
    "articles": N_("Articles"),
    "Article.url": N_("Address of the page"),
    "picurl": N_("Address of the picture"),
    "head_content": N_("Text above the choices"),
    "list": N_("Choices"),
    "tail_content": N_("Text below the choices"),
    "article_id": N_("article_id of a published article"),
    "card_id": N_("card_id of the coupon"),
    "kf_account": N_("One agent only (kf_account)"),
}
# Members that are called the same in every part of a rule but the few with a name of their own.
_OWN: Final[Mapping[str, str]] = {
    part: label for own, label in LABELS.items() for _, dot, part in (own.rpartition("."),) if dot
}
HELP: Final[Mapping[str, str]] = {
    "priority": N_("The rule with the higher priority wins."),
    "keywords": N_("Paste a list. The same keyword twice is marked below."),
    "from": N_("In the time zone of this console."),
    "until": N_("In the time zone of this console."),
    "cooldown_seconds": N_("How long the rule does not answer the same follower again."),
    "Text.content": N_("Placeholders: {account}, {rule}, {ref}, and what a pattern captures."),
    "hours": N_("Leave start and end empty to answer at any time."),
    "MiniProgramPage.thumb": N_("WeChat recommends 520 × 416 pixels."),
    "scene": N_("Leave both empty for any, or fill in one of them."),
    "ViewTrigger.url": N_("Leave both empty for any, or fill in one of them."),
    "ViewMiniProgramTrigger.pagepath": N_("Leave both empty for any, or fill in one of them."),
    "salt": N_("Another salt selects other followers."),
    "raw": N_("Width, letter case, blanks and punctuation count then."),
}
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "match": {
        "exact": N_("exact"),
        "prefix": N_("starts with"),
        "suffix": N_("ends with"),
        "all": N_("contains all keywords"),
        "contains": N_("contains the keyword"),
        "any": N_("contains one of the keywords"),
        "regex": N_("regular expression"),
    },
    "status": {
        "accept": N_("accepted"),
        "reject": N_("rejected"),
        "ban": N_("banned by the follower"),
        "sent": N_("delivered"),
        "failed": N_("not delivered"),
    },
    "state": {"following": N_("follows"), "not_following": N_("has unfollowed")},
    "unionid": {"known": N_("known"), "unknown": N_("not known")},
    "via": {
        "passive": N_("Passive reply, at once"),
        "customer_service": N_("Customer-service message"),
    },
}
TRIGGERS: Final[Mapping[str, str]] = {
    "text": N_("Keyword"),
    "fallback": N_("A message that no rule answers"),
    "subscribe": N_("Follow"),
    "unsubscribe": N_("Unfollow"),
    "click": N_("Tap on a menu item"),
    "view": N_("Page opened from the menu"),
    "view_miniprogram": N_("Mini-program opened from the menu"),
    "scan": N_("Scan of a QR code"),
    "msgmenu": N_("Tap on a choice"),
    "subscribe_msg": N_("Result of a subscription notification"),
    "location": N_("Location"),
    "event": N_("Another event"),
    "unsupported": N_("Sticker, or what WeChat does not pass on"),
}
REPLIES: Final[Mapping[str, str]] = {
    "text": N_("Text"),
    "miniprogrampage": N_("Mini-program card"),
    "image": N_("Picture"),
    "news": N_("Article with a picture"),
    "voice": N_("Voice message"),
    "video": N_("Video"),
    "music": N_("Music"),
    "msgmenu": N_("Question with choices"),
    "mpnewsarticle": N_("Published article"),
    "wxcard": N_("Coupon"),
    "transfer_customer_service": N_("Hand over to an agent"),
}
WEEKDAYS: Final = (
    (1, N_("Monday")),
    (2, N_("Tuesday")),
    (3, N_("Wednesday")),
    (4, N_("Thursday")),
    (5, N_("Friday")),
    (6, N_("Saturday")),
    (7, N_("Sunday")),
)


def named(path: str, translate: Callable[[str], str]) -> str:
    """Return what the member at a path of a rule is called: `replies.0.content`."""
    words: list[str] = []
    for part in path.split("."):
        if part.isdecimal() and words:
            words[-1] += f" {int(part) + 1}"
        else:
            own = f"Utm.{part}" if path.startswith("utm.") and words else part
            label = LABELS.get(own) or LABELS.get(part) or _OWN.get(part)
            words.append(translate(label) if label is not None else part)
    return " · ".join(words)
