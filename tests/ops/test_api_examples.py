"""Every example of the OpenAPI document works as it stands, on a service with one account."""

import json
from collections.abc import Awaitable, Callable, Iterator

import pytest

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
from tools.write_openapi import openapi_text

__all__ = ["clock", "service", "settings", "wechat"]


def _examples() -> Iterator[tuple[str, str, str, object]]:
    for path, operations in json.loads(openapi_text())["paths"].items():
        for method, operation in operations.items():
            contents: Json = operation.get("requestBody", {}).get("content", {})
            for kind, content in contents.items():
                for example in content.get("examples", {}).values():
                    yield method, path, kind, example["value"]


EXAMPLES = list(_examples())


MAKERS: dict[str, Callable[[Service], Awaitable[Json]]] = {
    "{qrcode_id}": add_qrcode,
    "{campaign_id}": campaign_of_examples,
    "{link_id}": add_link,
}


async def filled_in(service: Service, path: str) -> str:
    """Return a path with the id of a rule or a webhook that exists."""
    if "{rule_id}" in path:
        return path.replace("{rule_id}", str(await service.add_rule(text_reply())))
    if "{webhook_id}" in path:
        added = await service.api("POST", "webhooks", json={"url": "https://example.com/"})
        return path.replace("{webhook_id}", added.json()["id"])
    if path.endswith("/publish"):
        await drafted(service, menu(click()))
    if "{appid}" in path:
        return path.replace("{appid}", APPID)
    for placeholder, add in MAKERS.items():
        if placeholder in path:
            return path.replace(placeholder, (await add(service))["id"])
    return path


@pytest.mark.parametrize(("method", "path", "kind", "example"), EXAMPLES)
async def test_an_example_works_unchanged(
    service: Service, wechat: WeChat, method: str, path: str, kind: str, example: object
) -> None:
    know_mini_program(service, wechat)
    if path.startswith(("/api/notice", "/api/templates")):
        await know_recipients(service, wechat)
    know_wechat(service, wechat)
    content = example if isinstance(example, str) else json.dumps(example)
    headers = {
        "authorization": f"Bearer {ADMIN_TOKEN}",
        "content-type": kind,
        "if-match": "*",
    }
    url = await filled_in(service, path)

    answer = await service.http.request(method.upper(), url, content=content, headers=headers)

    assert answer.is_success, answer.text


async def test_a_question_without_account_is_about_the_main_one(service: Service) -> None:
    answer = await service.api("POST", "rules/explain", json={"text": "shop"})

    assert answer.json()["appid"] == service.settings.wechat_appid
