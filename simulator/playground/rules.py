"""Sample rules, and the picture that their cards show."""

import shutil
from pathlib import Path
from typing import Any

import httpx

from simulator import demo

MINI_PROGRAM = demo.ACCOUNT.linked_mini_programs[0]
KEYWORD = "商城"
PICTURE = Path(__file__).with_name("shop.png")
PAGE_SIZE = 200


def _card(title: str, pagepath: str) -> dict[str, Any]:
    return {
        "msgtype": "miniprogrampage",
        "via": "customer_service",
        "title": title,
        "appid": MINI_PROGRAM,
        "pagepath": pagepath,
        "thumb": {"file": PICTURE.name},
    }


def _text(content: str) -> dict[str, Any]:
    return {"msgtype": "text", "via": "passive", "content": content}


SAMPLES: tuple[dict[str, Any], ...] = (
    {
        "name": "Shop",
        "trigger": {"on": "text", "match": "contains", "keyword": KEYWORD},
        "replies": [_card("商城", "pages/index?from=oa"), _text("正在为您打开商城")],
    },
    {
        "name": "Orders",
        "trigger": {"on": "text", "match": "regex", "keyword": r"^(订单|order)\s*\d*$"},
        "replies": [_card("我的订单", "pages/orders?from=oa")],
    },
    {
        "name": "Welcome",
        "trigger": {"on": "subscribe"},
        "replies": [_text(f"欢迎关注！回复“{KEYWORD}”打开商城。")],
    },
    {
        "name": "Menu: help",
        "trigger": {"on": "click", "key": "MENU_HELP"},
        "replies": [_text(f"回复“{KEYWORD}”打开商城，回复“订单”查看订单。")],
    },
    {
        "name": "Store 42",
        "trigger": {"on": "scan", "scene": "store_0042"},
        "replies": [_card("42 号门店", "pages/store?id=42&from=oa")],
    },
    {
        "name": "Anything else",
        "trigger": {"on": "fallback"},
        "replies": [_text(f"没有听懂。回复“{KEYWORD}”试试。")],
    },
)


def copy_picture(folder: Path) -> None:
    """Copy the picture to the media folder, unless a file of this name exists."""
    folder.mkdir(exist_ok=True)
    if not (folder / PICTURE.name).exists():
        shutil.copyfile(PICTURE, folder / PICTURE.name)


async def add_samples(service: httpx.AsyncClient) -> int:
    """Add the sample rules whose names do not exist yet; return how many were added."""
    known = {rule["name"] for rule in await _all_rules(service)}
    missing = [rule for rule in SAMPLES if rule["name"] not in known]
    for rule in missing:
        (await service.post("/api/rules", json=rule)).raise_for_status()
    return len(missing)


async def _all_rules(service: httpx.AsyncClient) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    after = 0
    while after is not None:
        answer = await service.get("/api/rules", params={"after": after, "limit": PAGE_SIZE})
        page = answer.raise_for_status().json()
        rules += page["items"]
        after = page["next"]
    return rules
