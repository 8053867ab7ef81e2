"""The rules that the pages print are taken as they stand, and answer as the pages say."""

import json
import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from fastapi import FastAPI

from tests.docs.pages import LANGUAGES, Example, Row, blocks, examples, page
from tests.rules.makers import APPID, PNG

PAGE = "rules.md"
NOBODY = ["–"]
RULE_LANGUAGES = {"yaml": "application/yaml", "json": "application/json"}

COOKBOOK = [
    pytest.param(language, example, id=f"{language}-{example.title}")
    for language in LANGUAGES
    for example in examples(page(language, PAGE))
]
RECIPES = [each for each in COOKBOOK if each.values[1].rows]  # type: ignore[union-attr]


def command() -> ArgumentParser:
    """Read the arguments of `oa-bridge rules explain` that the pages use."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("words", nargs=3)
    parser.add_argument("text", nargs="?")
    for option in ("--event", "--event-key", "--openid", "--at"):
        parser.add_argument(option)
    return parser


def question(try_it: str) -> dict[str, Any]:
    """Return what a cell of the first column asks `/api/rules/explain`."""
    if try_it.startswith("{"):
        body: dict[str, Any] = json.loads(try_it)
        return body
    asked = command().parse_args(shlex.split(try_it))
    assert asked.words == ["oa-bridge", "rules", "explain"]
    told = {"text": asked.text, "openid": asked.openid, "at": asked.at}
    if asked.event is not None:
        told["message"] = {"Event": asked.event, "EventKey": asked.event_key or ""}
    return {name: value for name, value in told.items() if value is not None}


def shown(reply: dict[str, Any]) -> str:
    """Return a reply as the last column shows it."""
    written: dict[str, str] = reply["reply"]
    member = {"text": "content", "miniprogrampage": "pagepath"}.get(written["msgtype"], "msgtype")
    return written[member]


def files_of(part: object) -> list[str]:
    """Return the names of the files that a document takes from the media folder."""
    match part:
        case {"file": str(name)}:
            return [name]
        case dict():
            return [name for inner in part.values() for name in files_of(inner)]
        case list():
            return [name for inner in part for name in files_of(inner)]
    return []


async def imported(api: FastAPI, client: httpx.AsyncClient, example: Example) -> None:
    """Put the rules of an example, or its one rule, in the place of all rules."""
    media = Path(api.state.settings.media_path)
    for name in files_of(yaml.safe_load(example.content)):
        (media / name).write_bytes(PNG)
    # One rule alone is what POST takes; a document is what an import takes.
    one = example.language == "json" and "rules" not in json.loads(example.content)
    path, expected = ("/api/rules", 201) if one else ("/api/rules/import", 200)
    answer = await client.post(
        path,
        content=example.content.encode(),
        headers={"Content-Type": RULE_LANGUAGES[example.language]},
    )
    assert answer.status_code == expected, f"{example.title}: {answer.text}"


async def explained(client: httpx.AsyncClient, asked: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/api/rules/explain", json={"appid": APPID, **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(("language", "example"), COOKBOOK)
async def test_the_api_takes_every_rule_that_a_page_prints(
    api: FastAPI, client: httpx.AsyncClient, language: str, example: Example
) -> None:
    await imported(api, client, example)

    stored = (await client.get("/api/rules")).json()["items"]
    assert stored, language
    assert await conflicts(client) == []


async def conflicts(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found = (await client.get("/api/rules/conflicts")).json()["items"]
    return [conflict for conflict in found if conflict["unreachable"]]


@pytest.mark.parametrize(("language", "example"), RECIPES)
async def test_the_rules_of_a_recipe_answer_as_the_page_says(
    api: FastAPI, client: httpx.AsyncClient, language: str, example: Example
) -> None:
    await imported(api, client, example)

    for (try_it,), rules, sent in example.rows:
        found = await explained(client, question(try_it))

        replies = [reply for winner in found["winners"] for reply in winner["replies"]]
        assert [reply["not_sent"] for reply in replies] == [None] * len(replies)
        told = [winner["rule"]["name"] for winner in found["winners"]], [*map(shown, replies)]
        assert told == (said(rules), said(sent)), f"{language}: {try_it}"


def said(cell: list[str]) -> list[str]:
    return [] if cell == NOBODY else cell


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_rule_is_printed_that_is_not_tried_here(language: str) -> None:
    text = page(language, PAGE)

    assert len(RECIPES) > len(LANGUAGES) * 6
    assert text.count("\n```") == 2 * len(blocks(text))
    assert {block[0] for block in blocks(text)} == {"console", *RULE_LANGUAGES}
    assert all(title for lang, title, _ in blocks(text) if lang in RULE_LANGUAGES)
    assert all(example.language in RULE_LANGUAGES for example in examples(text))


def test_both_languages_print_the_same_examples() -> None:
    english, chinese = (examples(page(language, PAGE)) for language in LANGUAGES)

    assert [structure(one) for one in english] == [structure(one) for one in chinese]


def structure(example: Example) -> tuple[object, ...]:
    """Return what is the same in every language: all but the words."""
    shape = shape_of(yaml.safe_load(example.content))
    return example.title, example.language, shape, [*map(row_shape, example.rows)]


def row_shape(row: Row) -> tuple[object, ...]:
    asked = shape_of(question(row[0][0]))
    return asked, *(len(said(cell)) for cell in row[1:])


WORDS = frozenset(
    {
        *("name", "keyword", "keywords", "text", "Content", "Recognition"),
        *("content", "title", "description", "head_content", "tail_content"),
        "otherwise",
    }
)
"""Members whose values differ between the languages."""


def shape_of(part: object, member: str | None = None) -> object:
    if member in WORDS:
        return type(part).__name__
    match part:
        case dict():
            return {str(name): shape_of(inner, str(name)) for name, inner in part.items()}
        case list():
            return [shape_of(inner) for inner in part]
    return part
