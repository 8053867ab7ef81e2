"""Hostile texts in every table of which the console shows texts, and what a page makes of them."""

from html.parser import HTMLParser
from typing import Final
from uuid import uuid4

from sqlalchemy import text

from app.access.roles import Role
from tests.console import (
    made_alarms,
    made_arrivals,
    made_campaigns,
    made_figures,
    made_findings,
    made_funnel,
    made_imports,
    made_links,
    made_menus,
    made_messages,
    made_notices,
    made_qrcodes,
    made_tags,
    people,
)
from tests.console.operator import Operator, signed_in
from tests.console.rules.makers import Form
from tests.console.webhooks import makers as webhooks
from tests.service import APPID, OPENID, OTHER_OPENID, Service, card, event, message, text_reply

EVIL: Final = "x-evil"
# Their end is their own: HTML has no element in them, or a reader has nothing beside them.
BY_THEMSELVES: Final = frozenset({"bdi", "option", "textarea", "title", "text"})


def hostile(what: str) -> str:
    """Return a formula that closes elements, adds one, and turns the direction of what follows."""
    return f"=1+1'\"</bdi></td></textarea></title><{EVIL} id={what} onclick=x>\u202e&amp;"


def hostile_name(what: str) -> str:
    """Return a hostile name of at most 40 characters, which has no mark that nobody sees."""
    return f"=1'\"</b><{EVIL} id={what}>&amp;"


class Shown(HTMLParser):
    """What a browser makes of a page. texts: the hostile ones that a reader sees as texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.texts: set[str] = set()
        self._open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look for an element, or an attribute, that a stranger has made."""
        self._open.append(tag)
        if tag == EVIL or any(name.startswith(("on", EVIL)) for name, _ in attrs):
            self.faults.append(f"<{tag} {attrs}>")

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and those in it that have no end."""
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        """Look where a hostile text stands."""
        for part in data.split(f"<{EVIL} id=")[1:]:
            self.texts.add(part.split(">")[0].split(" ")[0])
            if not BY_THEMSELVES & set(self._open):
                self.faults.append(f"{data!r} in {self._open}")


# What `fill` writes somewhere.
KINDS: Final = frozenset(
    {
        "rule", "keyword", "content", "card", "text", "long", "event", "errmsg", "rid", "scene",
        "template", "description", "url", "reason", "error", "browser", "operator", "token",
        "visitor", "word", "link", "qrcode", "notice", "note", "tag", "arrival", "alarm",
        "campaign", "file",
    }
)  # fmt: skip


async def fill(service: Service) -> dict[str, str]:
    """Write hostile texts wherever somebody else chooses one.

    Return the path of a page for each template.
    """
    funnel = await made_funnel.funnel(service)
    async with signed_in(service, Role.OWNER, name=hostile_name("operator")) as operator:
        paths = await _rules(service, operator) | await _messages(service)
        paths |= await _people(service, operator) | await _webhooks(service)
        paths["links/link.html"] = await made_links.a_refused_link(service)
        paths["qrcodes/code.html"] = await made_qrcodes.a_code(service)
        paths["tags/tag.html"] = await made_tags.a_tag(service)
        paths["tags/run.html"] = await made_tags.a_run(service)
        paths["campaigns/campaign.html"] = await made_campaigns.a_campaign(service)
        paths["menus/difference.html"] = await made_menus.a_difference(service)
        paths["menus/match.html"] = f"/menus/match?appid={APPID}"
        paths["menus/taps.html"] = await made_menus.taps(service)
        paths["menus/index.html"] = f"/menus?appid={APPID}"
        paths["notices/send.html"] = await made_notices.a_paused_send(service)
        paths["notices/new.html"] = await made_notices.a_form(service)
        await _qrcode_list(operator)
        form = {"name": hostile_name("token"), "scopes": "stats:read"}
        assert (await operator.post("/operators/tokens/add", form)).status_code == 200
    await made_figures.two_days(service)
    paths["arrivals/index.html"] = await made_arrivals.a_list(service)
    paths["alarms/index.html"] = await made_alarms.a_list(service)
    paths["alarms/receiver.html"] = await made_alarms.a_robot(service)
    paths["funnel/index.html"] = funnel
    paths["funnel/retention.html"] = "/funnel/retention"
    await _in_tables(service)
    return paths | {
        "audit/index.html": "/audit",
        "links/index.html": "/links",
        "alarms/threshold.html": "/alarms/thresholds/no_push",
        "figures/compare.html": "/figures",
        "figures/notes.html": "/figures/notes",
        "links/edit.html": f"{paths['links/link.html'].partition('?')[0]}/edit",
        "articles/index.html": "/articles",
        "qrcodes/index.html": "/qrcodes",
        "tags/index.html": "/tags",
        "campaigns/index.html": "/campaigns",
        "campaigns/edit.html": f"{paths['campaigns/campaign.html'].partition('?')[0]}/edit",
        "notices/index.html": "/notices",
        "doctor/index.html": await made_findings.checked(service),
        "operators/index.html": "/operators",
        "operators/sessions.html": "/operators/sessions",
        "operators/tokens.html": "/operators/tokens",
        "settings/index.html": "/settings",
        "today/index.html": "/today",
    }


async def _qrcode_list(operator: Operator) -> None:
    name = hostile_name("qrcode").replace('"', '""')
    form = {"list_appid": APPID, "names": f'"{name}"', "key": str(uuid4())}
    assert (await operator.post("/qrcodes/lists/add", form)).status_code == 303


async def _rules(service: Service, operator: Operator) -> dict[str, str]:
    keyword = hostile("keyword")
    rule_id = await service.add_rule(
        text_reply(hostile("content").ljust(600, "x")),
        card(hostile("card")[:64]),
        name=hostile("rule"),
        trigger={"on": "text", "match": "any", "keywords": [keyword, "shop"]},
        utm={"source": hostile("source")},
    )
    await service.add_rule(text_reply(), name=hostile("rule"), priority=1)
    broken = await service.add_rule(text_reply(), name=hostile("rule"))
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(
            text("UPDATE rules SET replies = CAST(:replies AS jsonb) WHERE id = :id"),
            {"replies": '[{"msgtype": "<x-evil id=rule>\u202e"}]', "id": broken},
        )
    import_id = await made_imports.begun(
        service, made_imports.document(hostile("rule")), file_name=hostile("file")
    )
    await made_imports.work(service, import_id)
    moved = {"revision": "1", "back": "/rules", "direction": "up"}
    assert (await operator.post(f"/rules/{rule_id}/move", moved)).status_code == 303
    return {
        "rules/broken.html": f"/rules/{broken}",
        "rules/conflicts.html": "/rules/conflicts",
        "rules/editor.html": f"/rules/{rule_id}",
        "rules/history.html": f"/rules/{rule_id}/history",
        "rules/import.html": "/rules/import",
        "rules/index.html": "/rules",
        "rules/one_import.html": f"/rules/imports/{import_id}",
        "rules/try.html": "/rules/try?text=shop",
    }


async def _messages(service: Service) -> dict[str, str]:
    await service.app.state.rules.load_once()
    for openid in (OPENID, OTHER_OPENID):
        await service.push(message(service.clock, hostile("word"), openid=openid))
    await service.push(message(service.clock, hostile("long").ljust(4096, "x")))
    await service.push(event(service.clock, hostile("event")[:100]))
    await service.push(message(service.clock, f"shop {hostile('text')}"))
    await made_messages.fail_replies(service, hostile("errmsg"))
    failed = await made_messages.newest_message(service)
    retry = await made_messages.start_retry(service)
    return {
        "messages/index.html": "/messages",
        "messages/message.html": f"/messages/{failed}",
        "messages/retries.html": "/messages/retries",
        "messages/retry.html": "/messages/retries/new?fate=failed",
        "messages/retry_results.html": f"/messages/retries/{retry}",
        "messages/words.html": "/messages/words",
    }


async def _people(service: Service, operator: Operator) -> dict[str, str]:
    template = hostile("template")
    await people.push(service, "subscribe", OPENID, EventKey=f"qrscene_{hostile('scene')}")
    await people.subscribe(service, template=template)
    await people.push(service, "subscribe", OTHER_OPENID)
    found = [
        await operator.post("/followers/find", {"person": openid})
        for openid in (OPENID, OTHER_OPENID)
    ]
    person, other = [one.headers["Location"].removeprefix("/console") for one in found]
    erased = await operator.post(f"{other}/erase", {"confirmation": OTHER_OPENID[-4:]})
    assert erased.status_code == 303
    return {
        "followers/index.html": "/followers",
        "followers/person.html": person,
        "followers/erasures.html": "/followers/erasures",
        "followers/erasure.html": erased.headers["Location"].removeprefix("/console"),
        "followers/growth.html": "/followers/growth",
        "subscriptions/index.html": "/subscriptions",
        "subscriptions/recipients.html": "/subscriptions/recipients",
    }


async def _webhooks(service: Service) -> dict[str, str]:
    found = await webhooks.hook(service, description=hostile("description"))
    test = await service.api("POST", f"webhooks/{found}/test")
    await people.push(service, "SCAN", OPENID, EventKey="8")
    return {
        "webhooks/index.html": "/webhooks",
        "webhooks/edit.html": f"/webhooks/{found}/edit",
        "webhooks/replay.html": f"/webhooks/{found}/replay",
        "webhooks/test.html": f"/webhooks/{found}/test/{test.json()['id']}",
        "webhooks/webhook.html": f"/webhooks/{found}",
    }


async def _in_tables(service: Service) -> None:
    """Write what no request of a test brings there."""
    statements = {
        "UPDATE replies SET rid = :text": "rid",
        "UPDATE links SET name = :text, error = :text": "link",
        "UPDATE alarm_receivers SET name = :text, error = :text": "alarm",
        "UPDATE arrivals SET path = :text, name = :text": "arrival",
        "UPDATE qrcodes SET name = :text, error = :text": "qrcode",
        "UPDATE tags SET name = :text": "tag",
        "UPDATE tag_runs SET created_by = :text, error = :text, errcode = NULL": "tag",
        "UPDATE campaigns SET name = :text": "campaign",
        "UPDATE notice_templates SET title = :text, example = :text": "notice",
        "UPDATE notice_sends SET name = :text, errmsg = :text": "notice",
        "UPDATE notices SET result = :text": "notice",
        "UPDATE chart_notes SET text = :text, actor_name = :text": "note",
        "UPDATE wechat_figures SET error = :text, errcode = NULL": "error",
        "UPDATE sessions SET user_agent = :text": "browser",
        "UPDATE webhooks SET url = 'https://crm.example.com/' || :text": "url",
        "UPDATE webhooks SET disabled_reason = :text": "reason",
        "UPDATE webhook_deliveries SET error = :text": "error",
    }
    async with service.app.state.database.sessions.begin() as session:
        for statement, what in statements.items():
            await session.execute(text(statement), {"text": hostile(what)[:200]})


async def further_pages(operator: Operator, paths: dict[str, str]) -> list[str]:
    """Return the pages and parts that a form leads to, and other views of the same templates."""
    message_path, rule = paths["messages/message.html"], paths["rules/editor.html"]
    gets = [
        f"/subscriptions/recipients?appid={APPID}&template=%3Cx-evil+id%3Dtemplate%3E",
        "/audit?actor=%3Cx-evil+id%3Doperator%3E",
        "/messages?text=%3Cx-evil+id%3Dtext%3E",
        "/rules?q=%3Cx-evil",
        "/rules/try?text=%3Cx-evil+id%3Dtext%3E",
    ]
    posts: list[tuple[str, dict[str, str]]] = [
        ("/messages/shown", {}),
        (f"{message_path}/text", {}),
        ("/operators/add", {"name": hostile("operator"), "role": "viewer"}),
        ("/operators/add", {"name": hostile_name("new"), "role": "viewer"}),
        ("/operators/tokens/add", {"name": hostile_name("new"), "scopes": "stats:read"}),
        ("/webhooks/add", {"url": hostile("url"), "types": "*"}),
        (f"{paths['webhooks/webhook.html']}/secret", {"overlap": "24"}),
        ("/followers/find", {"person": hostile("person")}),
        (paths["menus/match.html"], {"openid": hostile("openid")}),
        (f"{paths['rules/broken.html']}/document", {"revision": "1", "document": hostile("rule")}),
    ]
    form = Form((await operator.get(rule)).text).values
    posts += [
        ("/rules/replay", form),
        ("/rules/try", form | {"try.text": "shop"}),
        ("/rules/edit", form | {"action": "save", "revision": "1"}),
        (
            "/rules/edit",
            form | {"action": "save", "replies.0.content": hostile("{content}"), "trigger.on": "x"},
        ),
    ]
    pages = [(await operator.get(path)).text for path in gets]
    for path, data in posts:
        answer = await operator.post(path, data)
        assert answer.status_code in {200, 409, 422}, (path, answer.status_code, answer.text)
        pages.append(answer.text)
    return pages
