"""The editor: each kind of trigger, condition and reply has its form, and nothing typed is lost."""

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import BaseModel

from app.access.roles import Role
from app.console.messages import translations
from app.console.rules import field_labels, fields
from app.console.rules.draft import MAX_FIELDS, MAX_FILES
from app.console.rules.fields import Input, members_of
from app.console.rules.form import document_of
from app.console.rules.phrases import PHRASES, in_language
from app.console.rules.tabs import TABS
from app.console.rules.views import label_of
from app.rules.definition.schemas import RuleIn
from app.rules.editing import room
from tests.console.operator import FROM_A_PAGE, Operator, signed_in
from tests.console.rules import makers
from tests.console.rules.makers import CONDITIONS, REPLIES, UTM, Form, rule_with
from tests.service import CARD_APPID, JPEG, Service, card, message, text_reply

ZONE = ZoneInfo("Asia/Shanghai")
EVERY_RULE = [
    *(
        rule_with(trigger=trigger, replies=[] if on == "unsubscribe" else [text_reply("x")])
        for on, trigger in makers.TRIGGERS.items()
    ),
    *(
        rule_with(trigger={"on": "text", "match": "exact", "keyword": "x"}, replies=[reply])
        for reply in REPLIES.values()
    ),
    rule_with(appid=None, enabled=True, conditions=CONDITIONS, utm=UTM),
]


def all_models(model: type[BaseModel]) -> set[type[BaseModel]]:
    parts = {part for member in members_of(model) for part in member.models}
    return {model}.union(*(all_models(part) for part in parts))


def kind_of(rule: dict[str, Any]) -> str:
    return f"{rule['trigger']['on']}-{(rule['replies'] or [{}])[0].get('msgtype')}"


async def posted(operator: Operator, values: dict[str, str]) -> httpx.Response:
    """Send the editor's form as a browser does."""
    return await operator.post("/rules/edit", values)


def test_every_kind_is_made_by_these_tests() -> None:
    assert makers.TRIGGERS.keys() == fields.TRIGGERS.keys() == field_labels.TRIGGERS.keys()
    assert REPLIES.keys() == fields.REPLIES.keys() == field_labels.REPLIES.keys()


def test_every_kind_of_trigger_is_in_one_tab() -> None:
    kinds = [kind for tab in TABS.values() for kind in tab.kinds]

    assert sorted(kinds) == sorted(fields.TRIGGERS)


def test_every_member_and_every_choice_has_a_name() -> None:
    for model in all_models(RuleIn):
        for member in members_of(model):
            assert label_of(model, member.name)
            if member.input is Input.CHOICE:
                assert field_labels.CHOICES[member.name].keys() >= set(member.choices)


@pytest.mark.parametrize("rule", EVERY_RULE, ids=kind_of)
async def test_a_rule_of_each_kind_comes_back_from_its_form_as_it_was(
    service: Service, owner: Operator, rule: dict[str, Any]
) -> None:
    stored = await service.api("POST", "rules", json=rule)
    assert stored.status_code == 201, stored.text
    page = await owner.get(f"/rules/{stored.json()['id']}")

    form = Form(page.text).values
    document = document_of(form, ZONE)

    assert RuleIn.model_validate(document) == RuleIn.model_validate(rule)


@pytest.mark.parametrize("on", makers.TRIGGERS)
async def test_a_new_rule_begins_with_the_form_of_its_kind(owner: Operator, on: str) -> None:
    page = await owner.get("/rules/new", on=on, reply="miniprogrampage")

    names = Form(page.text).values
    expected = {
        f"trigger.{member.name}"
        for member in members_of(fields.TRIGGERS[on])
        if member.input is not Input.SWITCH
    }
    assert expected - {"trigger.keyword"} <= set(names)


async def test_a_card_rule_is_made_saved_and_answers(service: Service, owner: Operator) -> None:
    form = Form((await owner.get("/rules/new", reply="miniprogrampage")).text).values
    form |= {
        "action": "save",
        "name": "商城",
        "trigger.keywords": "商城\r\n店铺",
        "replies.0.title": "Shop",
        "replies.0.appid": CARD_APPID,
        "replies.0.pagepath": "pages/index",
        "replies.0.thumb.file": "shop.jpg",
    }

    answer = await posted(owner, form)

    assert answer.status_code == 303
    rule_id = answer.headers["location"].split("/")[-1].split("?")[0]
    stored = await service.read(f"rules/{rule_id}")
    assert stored["trigger"] == {"on": "text", "match": "any", "keywords": ["商城", "店铺"]}
    assert stored["replies"] == [card("Shop")]
    entries = await owner.get("/audit")
    assert "added a rule" in entries.text
    await service.app.state.rules.load_once()
    await service.push(message(service.clock, "去店铺看看"))
    assert (await service.read("replies"))["items"][0]["rule_id"] == int(rule_id)


async def test_what_is_wrong_stands_beside_its_field_in_the_operators_language(
    service: Service,
) -> None:
    async with signed_in(service, Role.EDITOR, language="zh") as editor:
        form = Form((await editor.get("/rules/new", reply="miniprogrampage")).text).values
        form |= {
            "action": "save",
            "name": "x",
            "priority": "many",
            "trigger.keywords": "ok\n\u200b",
            "replies.0.title": "长" * 65,
            "replies.0.pagepath": "/pages",
            "replies.0.thumb.file": "none.jpg",
        }
        answer = await posted(editor, form)

    assert answer.status_code == 422
    assert 'id="priority-error"' in answer.text
    assert "必须是整数" in answer.text
    assert "最多 64 个字符" in answer.text
    assert "去掉开头的斜杠" in answer.text
    assert "2: 没有可见内容" in answer.text
    assert 'value="many"' in answer.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "there would be 1 rules, and there may be 0: delete"),
        ("zh", "规则将有 1 条，而最多 0 条"),
    ],
)
async def test_a_rule_that_there_is_no_room_for_is_not_saved_and_what_was_typed_stays(
    service: Service, monkeypatch: pytest.MonkeyPatch, language: str, words: str
) -> None:
    monkeypatch.setattr(room, "MAX_RULES", 0)
    async with signed_in(service, Role.EDITOR, language=language) as editor:
        form = Form((await editor.get("/rules/new", reply="text")).text).values
        form |= {"action": "save", "name": "x", "trigger.keywords": "店"}
        form |= {"replies.0.content": "typed"}
        answer = await posted(editor, form)

    assert answer.status_code == 422
    assert words in answer.text
    assert "typed" in answer.text
    assert (await service.read("rules"))["items"] == []


async def test_a_file_that_is_missing_is_said_beside_its_field(
    service: Service,
) -> None:
    async with signed_in(service, Role.EDITOR, language="zh") as editor:
        page = await editor.get("/rules/new", reply="miniprogrampage", keyword="x")
        form = Form(page.text).values | {
            "action": "save",
            "replies.0.title": "T",
            "replies.0.appid": CARD_APPID,
            "replies.0.pagepath": "p",
            "replies.0.thumb.file": "none.jpg",
        }
        answer = await posted(editor, form)

    assert answer.status_code == 422
    assert 'id="replies.0.thumb.file-error"' in answer.text
    assert "请把文件放入素材文件夹" in answer.text


async def test_a_newer_revision_is_not_overwritten_and_both_are_shown(
    service: Service, owner: Operator
) -> None:
    rule_id = await service.add_rule(text_reply("first"))
    form = Form((await owner.get(f"/rules/{rule_id}")).text).values
    await service.replace_rule(rule_id, text_reply("theirs"))
    form |= {"action": "save", "replies.0.content": "mine"}

    refused = await posted(owner, form)
    stored = await service.read(f"rules/{rule_id}")
    again = Form(refused.text).values | {"action": "save"}
    saved = await posted(owner, again)

    assert refused.status_code == 409
    assert "theirs" in refused.text
    assert again["replies.0.content"] == "mine"
    assert stored["replies"][0]["content"] == "theirs"
    assert saved.status_code == 303
    assert (await service.read(f"rules/{rule_id}"))["replies"][0]["content"] == "mine"


async def test_of_two_who_save_at_once_one_is_shown_what_the_other_saved(
    service: Service, owner: Operator
) -> None:
    rule_id = await service.add_rule(text_reply("first"))
    form = Form((await owner.get(f"/rules/{rule_id}")).text).values | {"action": "save"}
    async with signed_in(service, Role.EDITOR, name="小李") as other:
        answers = await asyncio.gather(
            posted(owner, form | {"replies.0.content": "by the owner"}),
            posted(other, form | {"replies.0.content": "by the editor"}),
        )
    stored = (await service.read(f"rules/{rule_id}"))["replies"][0]["content"]

    assert sorted(answer.status_code for answer in answers) == [303, 409]
    refused = max(answers, key=lambda answer: answer.status_code)
    assert stored in refused.text
    assert {stored, Form(refused.text).values["replies.0.content"]} == {
        "by the owner",
        "by the editor",
    }


async def test_a_rule_that_was_deleted_meanwhile_is_not_lost(
    service: Service, owner: Operator
) -> None:
    rule_id = await service.add_rule(text_reply("first"))
    form = Form((await owner.get(f"/rules/{rule_id}")).text).values
    await service.api("DELETE", f"rules/{rule_id}")

    refused = await posted(owner, form | {"action": "save"})
    saved = await posted(owner, Form(refused.text).values | {"action": "save"})

    assert refused.status_code == 409
    assert saved.status_code == 303
    assert saved.headers["location"] != f"/console/rules/{rule_id}?done=saved"


async def test_buttons_add_remove_and_raise_replies(owner: Operator) -> None:
    form = Form((await owner.get("/rules/new")).text).values | {"replies.0.content": "one"}
    added = await posted(owner, form | {"action": "add:replies", "add.kind": "news"})
    news = await posted(owner, Form(added.text).values | {"action": "add:replies.1.articles"})
    raised = await posted(owner, Form(news.text).values | {"action": "raise:replies.1"})
    removed = await posted(owner, Form(raised.text).values | {"action": "remove:replies.0"})

    assert Form(news.text).values["replies.1.articles.0"] == "1"
    values = Form(raised.text).values
    assert (values["replies.0.msgtype"], values["replies.1.content"]) == ("news", "one")
    assert Form(removed.text).values["replies.0.content"] == "one"


@pytest.mark.parametrize(
    "action",
    ["upload:replies.9.thumb", "remove:a.b.c", "add:name", "raise:replies.x", "upload:", "?"],
)
async def test_buttons_that_no_page_has_do_nothing(owner: Operator, action: str) -> None:
    form = Form((await owner.get("/rules/new")).text).values

    answer = await owner.http.post(
        "/console/rules/edit",
        data=form | {"action": action},
        files={"upload.replies.9.thumb": ("a.jpg", JPEG, "image/jpeg")},
        headers=FROM_A_PAGE,
    )

    assert answer.status_code == 200, answer.text


async def test_a_form_with_too_many_fields_or_files_is_refused(
    service: Service, owner: Operator
) -> None:
    form = Form((await owner.get("/rules/new")).text).values | {"action": "save"}
    files = [(f"upload.{number}", ("a.jpg", JPEG, "image/jpeg")) for number in range(MAX_FILES + 1)]
    fields = {f"replies.{number}.content": "" for number in range(MAX_FIELDS + 1)}
    answers = [
        await owner.http.post("/console/rules/edit", data=form, files=files, headers=FROM_A_PAGE),
        await owner.http.post(
            "/console/rules/edit", data=form | fields, files=files[:1], headers=FROM_A_PAGE
        ),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert (await service.read("rules"))["items"] == []


async def test_words_stay_when_the_way_of_comparing_changes(owner: Operator) -> None:
    form = Form((await owner.get("/rules/new")).text).values
    one = await posted(owner, form | {"trigger.keywords": "a\nb", "trigger.match": "exact"})
    many = await posted(owner, Form(one.text).values | {"trigger.match": "all"})

    assert Form(one.text).values["trigger.keyword"] == "a"
    assert Form(many.text).values["trigger.keywords"] == "a"


async def test_the_same_keyword_twice_is_marked(owner: Operator) -> None:
    form = Form((await owner.get("/rules/new")).text).values

    answer = await posted(owner, form | {"trigger.keywords": "Shop\nother\nＳＨＯＰ"})

    assert "Shop</bdi> (lines 1, 3)" in answer.text


async def test_hostile_names_are_text(service: Service, owner: Operator) -> None:
    name = "<script>alert(1)</script>\"\u202e=cmd|'/c calc'!A0" + "x" * 100
    rule_id = await service.add_rule(text_reply("<img src=x onerror=y>"), name=name)

    for path in ("/rules", f"/rules/{rule_id}", f"/rules/{rule_id}/history"):
        page = await owner.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


async def test_a_viewer_reads_a_rule_and_can_not_change_it(
    service: Service, viewer: Operator
) -> None:
    rule_id = await service.add_rule(text_reply())
    page = await viewer.get(f"/rules/{rule_id}")

    assert '<fieldset class="plain" disabled>' in page.text
    assert (await viewer.post("/rules/edit", {"action": "save"})).status_code == 403


def test_what_the_rules_say_is_chinese_for_a_chinese_operator() -> None:
    translate = translations("zh").gettext
    for phrase in PHRASES:
        assert translate(phrase) != phrase
    assert in_language("is missing: add it", translate) == "不能为空，请填写"
    assert in_language("never heard of", translate) == "never heard of"
