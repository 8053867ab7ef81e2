"""Every mistake in a rule or a question is reported with its field and the correction."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.rules.definition.schemas import RuleIn
from app.rules.definition.validation_errors import Problem, problems_in
from app.rules.explaining.question import Question
from app.rules.importing.document import Imported
from tests.rules.makers import APPID, as_posted

PHRASES = (
    *("Input should", "Value error", "Assertion", "Field required", "Extra inputs", "validation"),
    *("should have", "should match", "should be", "Unable to", "dictionary", "instance of"),
    *("NoneType", "{", "Input tag", "can't be used: compare"),
)
FIXES = (": ", "must be", "must start", "must look", "needs ", "give ")
OF_A_WHOLE_REPLY = ("union_tag_not_found", "union_tag_invalid", "model_attributes_type")
TEXT = {"msgtype": "text", "via": "customer_service", "content": "a"}
FILE = {"file": "shop.png"}
ADDRESS = "https://example.com/a"
ARTICLE = {"title": "a", "description": "b", "url": ADDRESS, "picurl": ADDRESS}
RULE = {
    **as_posted(),
    "conditions": {
        "from": "2026-11-24T12:00:00Z",
        "until": "2026-11-25T12:00:00Z",
        "hours": {"start": "09:00", "end": "18:00", "tz": "Asia/Shanghai", "days": [1]},
        "follower": {"state": "following", "min_age_seconds": 1, "max_age_seconds": 2},
        "unionid": "known",
        "cooldown_seconds": 60,
        "share": {"percent": 50, "salt": "s"},
    },
    "utm": {"source": "oa"},
}
TRIGGERS: list[dict[str, Any]] = [
    {"on": "text", "match": "exact", "keyword": "a", "not": True, "raw": True, "voice": True},
    {"on": "text", "match": "any", "keywords": ["a", "b"]},
    {"on": "text", "match": "regex", "keyword": "(a"},
    {"on": "msgmenu", "id": "a"},
    {"on": "subscribe", "scene": "a"},
    {"on": "scan", "scene_prefix": "a"},
    {"on": "click", "key": "a"},
    {"on": "view", "url": "a"},
    {"on": "view_miniprogram", "pagepath_prefix": "a"},
    {"on": "subscribe_msg", "template": "a", "status": "accept"},
    {"on": "location", "latitude": 1, "longitude": 2.5, "radius_metres": 3},
    {"on": "event", "name": "a"},
    {"on": "unsubscribe"},
    {"on": "fallback"},
]
REPLIES: list[dict[str, Any]] = [
    TEXT,
    {"msgtype": "image", "via": "customer_service", "media": FILE},
    {"msgtype": "voice", "via": "customer_service", "media": {"url": "https://a"}},
    {"msgtype": "video", "via": "customer_service", "media": FILE, "thumb": FILE, "title": "a"},
    {"msgtype": "music", "via": "passive", "thumb": {"media_id": "a"}, "musicurl": ADDRESS},
    {"msgtype": "news", "via": "customer_service", "articles": [ARTICLE]},
    as_posted()["replies"][0],
    {"msgtype": "msgmenu", "via": "customer_service", "list": [{"id": "1", "content": "a"}]},
    {"msgtype": "mpnewsarticle", "via": "customer_service", "article_id": "a"},
    {"msgtype": "wxcard", "via": "customer_service", "card_id": "a"},
    {"msgtype": "transfer_customer_service", "via": "passive", "kf_account": "a"},
]
GOOD: list[dict[str, Any]] = [
    *({**RULE, "trigger": trigger} for trigger in TRIGGERS),
    *({**RULE, "replies": [reply]} for reply in REPLIES),
]
BAD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2.5, float("nan"), 2**70, "", " ", "a", "\x00", "\ud800", "x" * 5000),
    *([], [1], ["a"] * 300, {}, {"a": 1}, "25:00", "2026-11-24", "{x}", "{", "passive", "wx1"),
)
JSON = st.recursive(
    st.sampled_from(BAD_VALUES),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
)


def places(document: object, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a document."""
    yield path
    if isinstance(document, dict):
        for name, part in document.items():
            yield from places(part, *path, name)
    if isinstance(document, list):
        for number, part in enumerate(document):
            yield from places(part, *path, number)


def changed(document: dict[str, Any], path: tuple[str | int, ...], value: object) -> Any:  # noqa: ANN401 - JSON
    """The document with another value at a place, or without what is there."""
    if not path:
        return value
    copy: Any = deepcopy(document)
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copy


def told(model: type[Any], document: object) -> list[Problem]:
    try:
        TypeAdapter(model).validate_python(document)
    except ValidationError as error:
        return problems_in(error.errors(include_url=False), "body")
    return []


def require_plain_words(problems: list[Problem]) -> None:
    for problem in problems:
        known = problem.type in {"unknown_placeholder", "bad_template"}
        found = [phrase for phrase in PHRASES if phrase in problem.msg and phrase != "{" * known]
        assert not found, (problem.loc, problem.msg, problem.type)
        assert any(fix in problem.msg for fix in FIXES), (problem.loc, problem.msg, problem.type)
        if "replies" in problem.loc[-2:-1]:
            assert problem.type in OF_A_WHOLE_REPLY, (problem.loc, problem.msg, problem.type)
        assert not {"float", "int", "text", "function-after"} & {*problem.loc[2:]}, problem.loc


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_no_bad_value_anywhere_in_a_rule_is_answered_in_a_librarys_words(number: int) -> None:
    rule = GOOD[number]
    for path in places(rule):
        for value in BAD_VALUES:
            require_plain_words(told(RuleIn, changed(rule, path, value)))
        if path and isinstance(path[-1], str):
            require_plain_words(told(RuleIn, changed(rule, (*path[:-1], "strange"), 1)))


@given(JSON)
def test_no_document_at_all_is_answered_in_a_librarys_words(document: object) -> None:
    require_plain_words(told(Imported, document))
    require_plain_words(told(Imported, {"rules": [document]}))
    require_plain_words(told(RuleIn, document))


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(["appid", "text", "message", "openid", "at", "limit", "strange"]),
        JSON | st.just(APPID) | st.just("0001-01-01T00:00:00Z"),
    )
)
def test_no_question_is_answered_in_a_librarys_words(question: dict[str, object]) -> None:
    require_plain_words(told(Question, question))


CARD = as_posted()["replies"][0]
VIDEO = {"msgtype": "video", "media": {"media_id": "m"}}
MUSIC = {"msgtype": "music", "via": "customer_service", "thumb": FILE}
SONG = {**MUSIC, "title": "a", "description": "b"}


@pytest.mark.parametrize(
    ("reply", "field", "words"),
    [
        ({**TEXT, "content": "x" * 2048}, "content", "has 2,048 bytes, and WeChat takes 2,047: "),
        ({**CARD, "pagepath": "页" * 342}, "pagepath", "has 1,026 bytes, and at most 1,024"),
        ({**CARD, "pagepath": "/pages/a"}, "pagepath", "remove the leading slash"),
        ({**CARD, "title": "商" * 65}, "title", "at most 64 characters: shorten it"),
        ({**CARD, "title": ""}, "title", "at least 1 character: write something"),
        ({**TEXT, "content": "a\x0b"}, "content", "control characters: remove them"),
        ({**TEXT, "content": " \n\u3000"}, "content", "is blank: write at least one"),
        ({**TEXT, "content": "\u200b \ufeff"}, "content", "holds nothing that can be seen: write"),
        ({**CARD, "title": "  "}, "title", "is blank: write at least one"),
        ({**CARD, "pagepath": "  "}, "pagepath", "is blank: write at least one"),
        ({**CARD, "thumb": {"media_id": " "}}, "thumb.media_id", "is blank: write at least one"),
        (
            {"msgtype": "msgmenu", "via": "customer_service", "list": []},
            "list",
            "at least 1: add one",
        ),
        ({"msgtype": "image", "via": "passive", "media": FILE}, "media.file", "name a media_id"),
        (
            {"msgtype": "voice", "via": "passive", "media": {"url": ADDRESS}},
            "media.url",
            "name a media_id",
        ),
        ({**MUSIC, "via": "passive"}, "thumb.file", "name a media_id"),
        ({**MUSIC, "description": "b", "musicurl": ADDRESS}, "title", "is missing: "),
        ({**SONG, "musicurl": "foo"}, "musicurl", "must start with http:// or https://"),
        (
            {**SONG, "musicurl": ADDRESS, "hqmusicurl": "ftp://a"},
            "hqmusicurl",
            "must start with http:// or https://",
        ),
        ({**VIDEO, "via": "customer_service"}, "thumb", "is missing: "),
        ({**VIDEO, "via": "passive", "thumb": {"media_id": "m"}}, "thumb", "remove it"),
        (
            {"msgtype": "news", "via": "customer_service", "articles": [ARTICLE] * 2},
            "articles",
            "at most 1",
        ),
        *(
            (
                {
                    "msgtype": "news",
                    "via": "customer_service",
                    "articles": [{**ARTICLE, name: address}],
                },
                f"articles.0.{name}",
                "must start with http:// or https://",
            )
            for name in ("url", "picurl")
            for address in ("foo", "bar.png", "javascript:a", "https://", "https://a b")
        ),
        ({**CARD, "thumb": {"url": "https://"}}, "thumb.url", "must start with http://"),
    ],
)
def test_a_reply_that_wechat_would_refuse_names_the_field_and_the_fix(
    reply: dict[str, Any], field: str, words: str
) -> None:
    (problem,) = told(RuleIn, as_posted(replies=[reply]))

    assert ".".join(map(str, problem.loc)) == f"body.replies.0.{field}"
    assert words in problem.msg
    require_plain_words([problem])


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        ({"on": "location", "latitude": "31", "longitude": 121, "radius_metres": 5}, "latitude"),
        ({"on": "location", "latitude": 31, "longitude": 181, "radius_metres": 5}, "longitude"),
        ({"on": "click", "key": 7}, "key"),
        ({"on": "text", "match": "like", "keyword": "a"}, "match"),
    ],
)
def test_each_bad_field_is_named_once(trigger: dict[str, Any], field: str) -> None:
    problems = told(RuleIn, as_posted(trigger=trigger))

    assert [problem.loc for problem in problems] == [["body", "trigger", field]]


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/api/rules?limit=many", "whole number"),
        ("GET", "/api/rules?limit=0", "1 or more"),
        ("GET", "/api/rules?limit=999", "200 or less"),
        ("GET", "/api/rules?enabled=perhaps", "true or false"),
        ("GET", "/api/rules?appid=gh_1", "AppID"),
        ("GET", "/api/rules?page=2", "is not known here"),
        ("GET", "/api/rules/first", "whole number"),
        ("GET", "/api/rules/conflicts?limit=0", "1 or more"),
        ("GET", "/api/rules/export?format=xml", "'yaml' or 'json'"),
        ("POST", "/api/rules/import?dry_run=7", "true or false"),
        ("POST", "/api/rules/1/revisions/x/restore", "whole number"),
        ("POST", "/api/rules", "is missing"),
        ("POST", "/api/rules/explain", "is missing"),
    ],
)
async def test_queries_and_empty_bodies_are_answered_so_too(
    client: httpx.AsyncClient, method: str, path: str, words: str
) -> None:
    answer = await client.request(method, path, headers={"content-type": "application/json"})

    assert answer.status_code == 422, answer.text
    (problem,) = [Problem.model_validate(item) for item in answer.json()["detail"]]
    assert words in problem.msg
    require_plain_words([problem])
