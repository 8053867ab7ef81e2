"""There are no more rules than a web process has room for."""

import asyncio

import httpx
import pytest

from app.cli.actor import cli_actor
from app.db.engine import Database
from app.rules.editing import room
from app.rules.editing.room import TooManyRules
from app.rules.importing import imported_rules
from app.rules.importing.document import ImportedRule
from app.rules.importing.import_rules import run_import
from app.rules.importing.imported_rules import ImportedRules
from tests.rules.makers import as_posted


@pytest.fixture(autouse=True)
def three_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_RULES", 3)
    monkeypatch.setattr(imported_rules, "MAX_RULES", 3)


async def add(client: httpx.AsyncClient, *numbers: int) -> list[httpx.Response]:
    rules = [as_posted(name=f"Rule {number}") for number in numbers]
    return await asyncio.gather(*(client.post("/api/rules", json=rule) for rule in rules))


async def count(client: httpx.AsyncClient) -> int:
    return len((await client.get("/api/rules")).json()["items"])


async def test_one_more_rule_than_there_may_be_is_refused_even_if_two_come_at_once(
    client: httpx.AsyncClient,
) -> None:
    (first, _) = await add(client, 1, 2)

    answers = await add(client, 3, 4)

    assert sorted(answer.status_code for answer in answers) == [201, 422]
    (problem,) = max(answers, key=lambda answer: answer.status_code).json()["detail"]
    assert problem["type"] == "too_many_rules"
    assert "there would be 4 rules, and there may be 3: delete" in problem["msg"]
    path, any_revision = f"/api/rules/{first.json()['id']}", {"If-Match": "*"}
    changed = await client.put(path, json=as_posted(name="Changed"), headers=any_revision)
    assert changed.status_code == 200
    assert await count(client) == 3


async def test_a_deleted_rule_comes_back_if_there_is_room(client: httpx.AsyncClient) -> None:
    (first, second, _) = await add(client, 1, 2, 3)
    any_revision = {"If-Match": "*"}
    path = f"/api/rules/{first.json()['id']}"
    await client.delete(path, headers=any_revision)
    await add(client, 4)

    full = await client.post(f"{path}/revisions/1/restore", headers=any_revision)
    await client.delete(f"/api/rules/{second.json()['id']}", headers=any_revision)
    restored = await client.post(f"{path}/revisions/1/restore", headers=any_revision)

    assert (full.status_code, restored.status_code) == (422, 200)


async def test_an_import_replaces_as_many_rules_as_there_may_be(client: httpx.AsyncClient) -> None:
    await add(client, 1, 2, 3)
    rules = [as_posted(name=f"Other {number}") for number in range(4)]

    refused = await client.post("/api/rules/import", json={"rules": rules})
    taken = await client.post("/api/rules/import", json={"rules": rules[:3]})

    assert (refused.status_code, taken.status_code) == (422, 200)
    assert await count(client) == 3


@pytest.mark.parametrize("dry_run", [True, False])
async def test_rules_that_are_added_count_with_those_that_stay(
    client: httpx.AsyncClient, database: Database, dry_run: bool
) -> None:
    await add(client, 1, 2)
    more = [as_posted(name=f"More {number}") for number in range(2)]
    rules = ImportedRules.of(ImportedRule.model_validate(rule) for rule in more)

    with pytest.raises(TooManyRules, match="1 problems"):
        async with database.sessions.begin() as session:
            await run_import(session, rules, cli_actor(), dry_run=dry_run, add_only=True)

    assert await count(client) == 2


async def test_a_set_that_is_too_large_already_may_be_changed_and_become_smaller(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = await add(client, 1, 2, 3)
    monkeypatch.setattr(room, "MAX_RULES", 1)
    paths = [f"/api/rules/{answer.json()['id']}" for answer in answers]
    any_revision = {"If-Match": "*"}

    changed = await client.put(paths[0], json=as_posted(name="Changed"), headers=any_revision)
    deleted = await client.delete(paths[1], headers=any_revision)
    (added,) = await add(client, 4)

    assert (changed.status_code, deleted.status_code, added.status_code) == (200, 204, 422)


KEYWORDS = {"on": "text", "match": "any", "keywords": [f"word {number}" for number in range(3)]}


async def test_all_keywords_together_have_a_bound_for_new_and_for_changed_rules(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_ALL_KEYWORDS", 5)
    many, few = as_posted(name="Many", trigger=KEYWORDS), as_posted(name="Few")
    two = as_posted(name="Two", trigger=KEYWORDS | {"keywords": ["a", "b"]})
    any_revision = {"If-Match": "*"}
    await client.post("/api/rules", json=many)
    other = (await client.post("/api/rules", json=few)).json()["id"]

    refused = await client.post("/api/rules", json=many | {"name": "More"})
    grown = await client.put(f"/api/rules/{other}", json=many, headers=any_revision)
    taken = await client.put(f"/api/rules/{other}", json=two, headers=any_revision)
    imported = await client.post(
        "/api/rules/import", json={"rules": [many, many | {"name": "Again"}]}
    )

    assert [answer.status_code for answer in (refused, grown, taken, imported)] == [
        422,
        422,
        200,
        422,
    ]
    for answer in (refused, grown, imported):
        (problem,) = answer.json()["detail"]
        assert "the rules would have 6 keywords, and may have 5: remove" in problem["msg"]


async def test_all_texts_together_have_a_bound(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_ALL_BYTES", 2 * 1024)
    long = {"msgtype": "text", "via": "passive", "content": "x" * 1000}
    rule = as_posted(name="One", replies=[long])
    (first,) = [await client.post("/api/rules", json=rule)]

    refused = await client.post("/api/rules", json=rule | {"name": "Two"})
    imported = await client.post(
        "/api/rules/import", json={"rules": [rule, rule | {"name": "Two"}]}
    )

    assert (first.status_code, refused.status_code, imported.status_code) == (201, 422, 422)
    for answer in (refused, imported):
        (problem,) = answer.json()["detail"]
        assert "KiB, and may have 2: shorten" in problem["msg"]


ADDED_UP = """
SELECT rule_count, keyword_count, size_bytes FROM rules_version UNION ALL
SELECT count(*), coalesce(sum(jsonb_array_length(keywords)), 0),
       coalesce(sum(octet_length(concat(name, trigger, conditions, replies, utm))), 0)
FROM rules, LATERAL (
    SELECT CASE jsonb_typeof(trigger -> 'keywords') WHEN 'array' THEN trigger -> 'keywords' END
) AS of (keywords)
"""
INSERTED = """
INSERT INTO rules (name, trigger, replies, conditions, utm) SELECT
    '规则 ' || number,
    CAST('{"on": "text", "match": "any", "keywords": ' || keywords || '}' AS jsonb), '[]',
    CASE WHEN number % 2 = 0 THEN '{"share": 5}'::jsonb END,
    CASE WHEN number % 3 = 0 THEN '{"source": "oa"}'::jsonb END
FROM generate_series(1, 9) AS number, (VALUES ('["a", "b"]'), ('[]'), ('null')) AS of (keywords)
"""


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE rules SET name = name || '!', trigger = trigger || '{\"keywords\": [1, 2, 3]}'",
        "UPDATE rules SET id = id + 1000 WHERE utm IS NULL",
        "UPDATE rules SET trigger = '{}' WHERE false",
        "DELETE FROM rules WHERE conditions IS NOT NULL",
        "DELETE FROM rules WHERE false",
        "INSERT INTO rules (name, trigger, replies) SELECT 'none', '{}', '[]' WHERE false",
        "TRUNCATE rules",
    ],
)
async def test_what_rules_take_is_added_up_however_they_change(
    database: Database, change: str
) -> None:
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql(INSERTED)
        await connection.exec_driver_sql(change)
        kept, counted = (await connection.exec_driver_sql(ADDED_UP)).all()

    assert kept == counted
    if change.startswith("UPDATE"):
        assert kept.rule_count == 27


async def test_a_change_adds_up_nothing_itself_while_the_rules_are_locked(
    client: httpx.AsyncClient, database: Database
) -> None:
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE rules_version SET rule_count = 3")

    (refused,) = await add(client, 1)

    assert "there would be 4 rules" in refused.json()["detail"][0]["msg"]
