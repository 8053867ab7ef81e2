"""Every example of the OpenAPI document works as it stands, on a service with one account."""

import json
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.alarms.makers import added as add_receiver
from tests.campaigns.makers import campaign_of_examples
from tests.links.makers import added as add_link
from tests.links.makers import know_mini_program
from tests.menus.makers import click, menu
from tests.menus.publishing import drafted, know_wechat
from tests.notices.makers import know_recipients
from tests.qrcodes.makers import added as add_qrcode
from tests.service import (
    ADMIN_TOKEN,
    APPID,
    Json,
    Service,
    WeChat,
    clock,
    service,
    settings,
    text_reply,
    wechat,
)
from tests.tags.makers import reach_wechat, tag
from tools.write_openapi import kept

__all__ = ["clock", "service", "settings", "wechat"]


def _examples() -> Iterator[tuple[str, str, str, object]]:
    for path, operations in kept()["paths"].items():
        for method, operation in operations.items():
            contents: Json = operation.get("requestBody", {}).get("content", {})
            for kind, content in contents.items():
                for example in content.get("examples", {}).values():
                    yield method, path, kind, example["value"]


EXAMPLES = list(_examples())


async def filled_in(service: Service, wechat: WeChat, path: str) -> str:
    """Return a path with the id of something that exists."""
    if path.endswith("/publish"):
        await drafted(service, menu(click()))
    if "{tag_id}" in path:
        path = path.replace("{tag_id}", str(await tag(service, wechat)))
    for name, make in MAKERS.items():
        if f"{{{name}}}" in path:
            return path.replace(f"{{{name}}}", await make(service))
    return path


async def _rule(service: Service) -> str:
    return str(await service.add_rule(text_reply()))


async def _webhook(service: Service) -> str:
    return await _posted(service, "webhooks", {"url": "https://example.com/"})


async def _note(service: Service) -> str:
    return await _posted(service, "chart-notes", {"text": "Sale", "day": "2026-11-11"})


async def _posted(service: Service, path: str, body: Json) -> str:
    added = await service.api("POST", path, json=body)
    return str(added.json()["id"])


async def _account(_: Service) -> str:
    return APPID


async def _qrcode(service: Service) -> str:
    return str((await add_qrcode(service))["id"])


async def _link(service: Service) -> str:
    return str((await add_link(service))["id"])


async def _receiver(service: Service) -> str:
    body = {"name": "ops", "kind": "wecom", "url": "https://example.com/send?key=1"}
    return str((await add_receiver(service, body))["id"])


async def _alarm_kind(_: Service) -> str:
    return "quota"


async def _campaign(service: Service) -> str:
    return str((await campaign_of_examples(service))["id"])


MAKERS: dict[str, Callable[[Service], Awaitable[str]]] = {
    "rule_id": _rule,
    "webhook_id": _webhook,
    "appid": _account,
    "qrcode_id": _qrcode,
    "note_id": _note,
    "receiver_id": _receiver,
    "kind": _alarm_kind,
    "link_id": _link,
    "campaign_id": _campaign,
}


@pytest.mark.parametrize(("method", "path", "kind", "example"), EXAMPLES)
async def test_an_example_works_unchanged(
    service: Service, wechat: WeChat, method: str, path: str, kind: str, example: object
) -> None:
    know_mini_program(service, wechat)
    if path.startswith(("/api/notice", "/api/templates", "/api/tags")):
        await know_recipients(service, wechat)
    know_wechat(service, wechat)
    reach_wechat(service, wechat)
    content = example if isinstance(example, str) else json.dumps(example)
    headers = {
        "authorization": f"Bearer {ADMIN_TOKEN}",
        "content-type": kind,
        "if-match": "*",
    }
    url = await filled_in(service, wechat, path)

    answer = await service.http.request(method.upper(), url, content=content, headers=headers)

    assert answer.is_success, answer.text


async def test_a_question_without_account_is_about_the_main_one(service: Service) -> None:
    answer = await service.api("POST", "rules/explain", json={"text": "shop"})

    assert answer.json()["appid"] == service.settings.wechat_appid
