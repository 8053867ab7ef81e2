"""Rules and messages with plain defaults; a test states only what matters."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from app.rules.definition.conditions import Conditions
from app.rules.definition.triggers import Trigger
from app.rules.matching.rule_set import Rule
from app.settings import Settings
from app.wechat import inbound, outbound
from app.wechat.inbound import Format, Inbound, parse

APPID = "wx0000000000000001"
OTHER_APPID = "wx0000000000000002"

# One grey pixel each.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)
JPEG = b"".join(
    [
        *(b"\xff\xd8", b"\xff\xdb\x00\x43\x00", b"\x01" * 64),
        b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00",
        *(b"\xff\xc4\x00\x14\x00\x01", bytes(16), b"\xff\xc4\x00\x14\x10\x01", bytes(16)),
        b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x3f\xff\xd9",
    ]
)

STICKER = "【收到不支持的消息类型，暂无法显示】"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

_TRIGGER: TypeAdapter[Trigger] = TypeAdapter(Trigger)
_HEAD: dict[str, Any] = {
    "to_user": "gh_demo0000001",
    "from_user": "oDEMO0aBcDeFgHiJkLmNoPqRsTuV",
    "create_time": 1795500000,
    "payload": {},
}


def rule(
    rule_id: int,
    on: str,
    *,
    appid: str | None = None,
    priority: int = 100,
    conditions: dict[str, Any] | None = None,
    **trigger: object,
) -> Rule:
    """A compiled-in rule; `trigger` are the members of its trigger beside `on`."""
    return Rule(
        id=rule_id,
        name=f"Rule {rule_id}",
        appid=appid,
        priority=priority,
        trigger=_TRIGGER.validate_python({"on": on, **trigger}),
        replies=(outbound.Text(via="passive", content=f"Answer {rule_id}"),),
        conditions=None if conditions is None else Conditions.model_validate(conditions),
    )


def text_rule(rule_id: int, match: str, *keywords: str, **more: Any) -> Rule:  # noqa: ANN401 - members of every type
    """A rule that waits for a text. more: of `rule`, and other members of the trigger."""
    if match in {"all", "any"}:
        return rule(rule_id, "text", match=match, keywords=list(keywords), **more)
    (keyword,) = keywords
    return rule(rule_id, "text", match=match, keyword=keyword, **more)


def text(content: str, *, bizmsgmenuid: str | None = None) -> inbound.Text:
    """A text that a follower sent."""
    return inbound.Text(**_HEAD, content=content, bizmsgmenuid=bizmsgmenuid)


def sticker() -> inbound.Unsupported:
    """A sticker, as WeChat pushes it."""
    return inbound.Unsupported(**_HEAD, content=STICKER)


def voice(recognition: str) -> inbound.Voice:
    """A voice message, as far as WeChat understood it."""
    return inbound.Voice(**_HEAD, recognition=recognition)


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


def happening(name: str, **members: object) -> Inbound:
    """An event by its name, with members as WeChat writes them."""
    head = {"ToUserName": "gh_demo0000001", "FromUserName": _HEAD["from_user"]}
    document = {**head, "CreateTime": 1795500000, "MsgType": "event", "Event": name, **members}
    return parse(json.dumps(document), Format.JSON)


def place(latitude: float, longitude: float) -> inbound.Location:
    """A place that a follower sent."""
    return inbound.Location(**_HEAD, location_x=str(latitude), location_y=str(longitude))


def view(url: str) -> inbound.View:
    """A tap on a menu item that opens a page."""
    return inbound.View(**_HEAD, event_key=url)


def settings_with(folder: Path, **changes: Any) -> Settings:  # noqa: ANN401 - settings of every type
    """Settings of two accounts, with a picture in their media folder."""
    media = folder / "media"
    media.mkdir(exist_ok=True)
    (media / "shop.png").write_bytes(PNG)
    accounts = folder / "accounts.toml"
    accounts.write_text(
        f'[[account]]\nappid = "{OTHER_APPID}"\ntoken = "another"\nmessage_mode = "plain"\n',
        encoding="utf-8",
    )
    account: dict[str, Any] = {
        "wechat_appid": APPID,
        "wechat_token": "token",
        "wechat_message_mode": "plain",
    }
    account |= {"accounts_file": accounts}
    return Settings(_env_file=None, data_dir=folder, **account | changes)


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
