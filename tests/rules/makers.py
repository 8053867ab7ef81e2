"""Rules and messages with plain defaults; a test states only what matters."""

from typing import Any

from pydantic import TypeAdapter

from app.rules.engine import Rule
from app.rules.triggers import Trigger
from app.wechat import inbound, outbound

APPID = "wx0000000000000001"
OTHER_APPID = "wx0000000000000002"

_TRIGGER: TypeAdapter[Trigger] = TypeAdapter(Trigger)
_HEAD: dict[str, Any] = {
    "to_user": "gh_demo0000001",
    "from_user": "oDEMO0aBcDeFgHiJkLmNoPqRsTuV",
    "create_time": 1795500000,
    "payload": {},
}


def rule(
    rule_id: int, on: str, *, appid: str | None = None, priority: int = 100, **trigger: object
) -> Rule:
    """A compiled-in rule; `trigger` are the members of its trigger beside `on`."""
    return Rule(
        id=rule_id,
        name=f"Rule {rule_id}",
        appid=appid,
        priority=priority,
        trigger=_TRIGGER.validate_python({"on": on, **trigger}),
        replies=(outbound.Text(via="passive", content=f"Answer {rule_id}"),),
    )


def text_rule(
    rule_id: int, match: str, keyword: str, *, appid: str | None = None, priority: int = 100
) -> Rule:
    """A rule that waits for a text."""
    return rule(rule_id, "text", appid=appid, priority=priority, match=match, keyword=keyword)


def text(content: str, *, bizmsgmenuid: str | None = None) -> inbound.Text:
    """A text that a follower sent."""
    return inbound.Text(**_HEAD, content=content, bizmsgmenuid=bizmsgmenuid)


def image() -> inbound.Image:
    """A picture that a follower sent."""
    return inbound.Image(**_HEAD)


def follow(scene: str | None = None) -> inbound.Subscribe:
    """A follow, through the QR code of `scene` if one is given."""
    return inbound.Subscribe(**_HEAD, scene=scene)


def unfollow() -> inbound.Unsubscribe:
    """An unfollow."""
    return inbound.Unsubscribe(**_HEAD)


def scan(scene: str) -> inbound.Scan:
    """A follower's scan of the QR code of `scene`."""
    return inbound.Scan(**_HEAD, scene=scene)


def click(key: str) -> inbound.Click:
    """A tap on the menu item with `key`."""
    return inbound.Click(**_HEAD, event_key=key)


def view(url: str) -> inbound.View:
    """A tap on a menu item that opens a page."""
    return inbound.View(**_HEAD, event_key=url)


def as_posted(**changes: object) -> dict[str, Any]:
    """A rule as an operator posts it, with some members changed."""
    return {
        "name": "Shop",
        "appid": None,
        "enabled": True,
        "priority": 100,
        "trigger": {"on": "text", "match": "contains", "keyword": "商城"},
        "replies": [
            {
                "msgtype": "miniprogrampage",
                "via": "customer_service",
                "title": "商城",
                "appid": "wx0123456789abcdef",
                "pagepath": "pages/index?from=oa",
                "thumb": {"file": "shop.png"},
            },
            {"msgtype": "text", "via": "passive", "content": "正在为您打开商城"},
        ],
        **changes,
    }
