"""Export, import and conflicts of the whole set over HTTP."""

import asyncio
import json
import tracemalloc
from typing import Any

import asyncpg
import httpx
import pytest
import yaml
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import Database
from app.rules import store
from tests.rules.makers import APPID, as_posted

YAML = {"content-type": "application/yaml"}
COPIES = """
INSERT INTO rules (name, enabled, priority, trigger, conditions, replies)
SELECT name, false, priority, trigger, conditions, replies
FROM rules, generate_series(1, $1::integer)
"""


async def posted(client: httpx.AsyncClient, name: str, **changes: object) -> int:
    answer = await client.post("/api/rules", json=as_posted(name=name, **changes))
    assert answer.status_code == 201, answer.text
    rule_id: int = answer.json()["id"]
    return rule_id


async def take(
    client: httpx.AsyncClient,
    rules: list[dict[str, Any]],
    *,
    dry_run: bool = False,
    if_match: str = "*",
) -> httpx.Response:
    return await client.post(
        "/api/rules/import",
        params={"dry_run": dry_run},
        content=json.dumps({"rules": rules}),
        headers={"content-type": "application/json", "if-match": if_match},
    )


async def stored(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = (await client.get("/api/rules")).json()["items"]
    return rules


@pytest.mark.parametrize("format", ["yaml", "json"])
async def test_what_is_exported_can_be_imported_and_changes_nothing(
    client: httpx.AsyncClient, format: str
) -> None:
    await posted(client, "One", conditions={"hours": {"start": "09:00", "end": "18:00"}})
    await posted(client, "Two", trigger={"on": "fallback"}, enabled=False, appid=APPID)
    before = await stored(client)

    exported = await client.get("/api/rules/export", params={"format": format})
    kind = exported.headers["content-type"]
    answer = await client.post(
        "/api/rules/import", content=exported.content, headers={"content-type": kind}
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["unchanged"] == 2
    assert await stored(client) == before


async def test_an_export_has_some_rules_in_memory_and_not_all(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await posted(client, "One")
    await connection.execute(COPIES, 6_000)

    tracemalloc.start()
    exported = await client.get("/api/rules/export", params={"format": "json"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert exported.content.count(b"pages/index") == 6_001
    # All of them take 55 MB. The document is here too: twice while the client joins its parts.
    assert peak < 25_000_000


async def test_conflicts_are_looked_for_once_at_a_time(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    load_all = store.load_all

    async def slow(session: AsyncSession) -> store.Loaded:
        if not begun.is_set():
            begun.set()
            await go_on.wait()
        return await load_all(session)

    monkeypatch.setattr(store, "load_all", slow)
    first = asyncio.create_task(client.get("/api/rules/conflicts"))
    await begun.wait()
    second = await client.get("/api/rules/conflicts")
    go_on.set()

    assert (second.status_code, second.headers["retry-after"]) == (429, "10")
    assert (await first).status_code == 200
    assert (await client.get("/api/rules/conflicts")).status_code == 200


async def test_a_dry_run_shows_the_change_and_makes_none(client: httpx.AsyncClient) -> None:
    one, two = await posted(client, "One"), await posted(client, "Two")
    new = [as_posted(name="One", priority=7), as_posted(name="Three")]

    shown = (await take(client, new, dry_run=True)).json()

    assert [rule["name"] for rule in shown["added"]] == ["Three"]
    assert [(rule["id"], rule["fields"]) for rule in shown["changed"]] == [
        (one, {"priority": {"before": 100, "after": 7}})
    ]
    assert [rule["id"] for rule in shown["removed"]] == [two]
    assert [rule["name"] for rule in await stored(client)] == ["One", "Two"]

    applied = await take(client, new)
    assert {**applied.json(), "dry_run": True} == shown
    again = await take(client, new, if_match=applied.headers["ETag"])
    assert (again.status_code, again.json()["unchanged"]) == (200, 2)
    assert [(rule["name"], rule["priority"]) for rule in await stored(client)] == [
        ("One", 7),
        ("Three", 100),
    ]
    assert len((await client.get(f"/api/rules/{two}/revisions")).json()["items"]) == 2


async def test_only_what_a_dry_run_has_shown_is_applied(client: httpx.AsyncClient) -> None:
    shown = await take(client, [as_posted(name="New")], dry_run=True)
    await posted(client, "Meanwhile")

    late = await take(client, [as_posted(name="New")], if_match=shown.headers["ETag"])

    assert late.status_code == 412
    assert [rule["name"] for rule in await stored(client)] == ["Meanwhile"]


async def test_a_misspelt_dry_run_changes_nothing(client: httpx.AsyncClient) -> None:
    await posted(client, "Kept")

    answer = await client.post("/api/rules/import?dry-run=true", content="rules: []", headers=YAML)

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["query", "dry-run"]
    assert "check its spelling" in problem["msg"]
    assert [rule["name"] for rule in await stored(client)] == ["Kept"]


async def test_one_bad_rule_lets_nothing_in(client: httpx.AsyncClient) -> None:
    await posted(client, "Kept")
    bad = as_posted(name="Bad", trigger={"on": "scan"})

    answer = await take(client, [as_posted(name="Good"), bad])

    assert answer.status_code == 422
    assert [item["loc"] for item in answer.json()["detail"]] == [
        ["body", "rules", 1, "trigger", "scene"]
    ]
    assert [rule["name"] for rule in await stored(client)] == ["Kept"]


async def test_two_rules_of_one_name_are_refused_unless_their_ids_tell_them_apart(
    client: httpx.AsyncClient,
) -> None:
    one, two = await posted(client, "Same"), await posted(client, "Same", priority=1)
    twice = [as_posted(name="Same"), as_posted(name="Same", priority=2)]

    answer = await take(client, twice)
    told_apart = await take(client, [twice[0] | {"id": one}, twice[1] | {"id": two}])
    same_id = await take(client, [rule | {"id": one} for rule in twice])

    assert [item["loc"] for item in answer.json()["detail"]] == [["body", "rules", 1, "name"]]
    assert told_apart.status_code == 200
    assert [item["loc"][-1] for item in same_id.json()["detail"]] == ["id"]


async def test_ids_of_another_installation_are_kept(client: httpx.AsyncClient) -> None:
    await take(client, [as_posted(name="Theirs") | {"id": 700}])

    assert [rule["id"] for rule in await stored(client)] == [700]
    assert await posted(client, "Ours") > 700


async def test_an_id_that_would_leave_none_for_later_rules_is_refused(
    client: httpx.AsyncClient,
) -> None:
    for rule_id in (2**53 + 1, 2**63 - 1, 2**63):
        answer = await take(client, [as_posted(name="Theirs") | {"id": rule_id}])

        assert answer.status_code == 422
        assert [item["loc"] for item in answer.json()["detail"]] == [["body", "rules", 0, "id"]]


async def test_yaml_is_read_as_operators_write_it(client: httpx.AsyncClient) -> None:
    document = """
rules:
  - name: no
    trigger: {on: text, match: exact, keyword: 商城}
    conditions:
      from: 2026-11-24T12:00:00+08:00
      hours: {start: 09:00, end: 18:00, days: [1]}
    replies:
      - {msgtype: text, via: passive, content: "1"}
"""
    answer = await client.post("/api/rules/import", content=document.encode(), headers=YAML)

    assert answer.status_code == 200, answer.text
    (rule,) = await stored(client)
    assert (rule["name"], rule["trigger"]["on"]) == ("no", "text")
    assert rule["conditions"]["hours"]["start"] == "09:00"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("rules: [", "not valid YAML"),
        ("a: &a [1]\nrules: *a", "alias"),
        ("rules: " + "[" * 32 + "]" * 32, "at most 32 lists and objects"),
        ("rules: !!python/object/apply:os.getcwd []", "tag"),
        ("rules: []\nmore: !!bool foo", "tag"),
        ("rules: []\nmore: !!timestamp foo", "tag"),
        ("rules: []\nmore: !!int ''", "tag"),
        ("rules: !x []", "tag"),
        ("rules: []\nrules: []", "twice"),
        ("rules: []\nmore: " + "1" * 5000, "digits"),
        ("? [a]\n: 1", "YAML"),
        ("- 1", "must be an object"),
        ("rules:\n- name: 12\n", "must be a text"),
    ],
)
async def test_a_document_that_is_no_set_of_rules_is_refused(
    client: httpx.AsyncClient, document: str, words: str
) -> None:
    answer = await client.post("/api/rules/import", content=document.encode(), headers=YAML)

    assert answer.status_code == 422, answer.text
    assert any(words in item["msg"] for item in answer.json()["detail"]), answer.text


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{"rules": [], "rules": []}', "the key rules appears twice"),
        ('{"rules": [{"name": "a", "name": "b"}]}', "the key name appears twice"),
        ('{"rules": [NaN]}', "NaN"),
        ('{"rules": [', "not valid JSON"),
        ('{"rules": [{"\\ud800": 1}]}', "half of a character"),
        ("[" * 100_000, "at most 32 lists and objects"),
        ('{"rules": [' + "[" * 31 + "]" * 31 + "]}", "at most 32 lists and objects"),
        ('{"rules": [' + '{"a": ' * 31 + "1" + "}" * 31 + "]}", "at most 32 lists and objects"),
        ('{"rules": [' + "[" * 30 + "]" * 30 + "]}", "must be an object"),
    ],
)
async def test_json_is_read_as_strictly_as_yaml(
    client: httpx.AsyncClient, document: str, words: str
) -> None:
    answer = await client.post(
        "/api/rules/import", content=document, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 422, answer.text
    assert any(words in item["msg"] for item in answer.json()["detail"]), answer.text


async def test_rules_of_an_account_that_is_not_configured_are_not_imported(
    client: httpx.AsyncClient,
) -> None:
    theirs = as_posted(name="Theirs", appid="wx00000000000000ff")

    answer = await take(client, [as_posted(name="Ours", appid=APPID), theirs])

    assert answer.status_code == 422
    assert [item["loc"] for item in answer.json()["detail"]] == [["body", "rules", 1, "appid"]]
    assert await stored(client) == []


async def test_other_content_types_are_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/api/rules/import", content=b"rules: []", headers={"content-type": "text/plain"}
    )

    assert answer.status_code == 415


async def test_yaml_of_an_export_reads_as_plain_yaml(client: httpx.AsyncClient) -> None:
    await posted(client, "yes", trigger={"on": "text", "match": "exact", "keyword": "09:00"})

    exported = await client.get("/api/rules/export")

    (rule,) = yaml.safe_load(exported.content)["rules"]
    assert (rule["name"], rule["trigger"]["keyword"]) == ("yes", "09:00")


async def test_conflicts_name_the_rule_that_is_in_the_way(client: httpx.AsyncClient) -> None:
    def waits(match: str, keyword: str) -> dict[str, object]:
        return {"on": "text", "match": match, "keyword": keyword}

    broad = await posted(client, "Broad", trigger=waits("contains", "商城"), priority=200)
    exact = await posted(client, "Exact", trigger=waits("exact", "去商城"))
    same = await posted(client, "Same", trigger=waits("contains", "商城"))
    await posted(client, "Free", trigger=waits("exact", "商店"))
    sometimes = {"hours": {"start": "09:00", "end": "10:00"}}
    first = await posted(client, "Hours", trigger={"on": "fallback"}, conditions=sometimes)
    last = await posted(client, "Always", trigger={"on": "fallback"})

    found = (await client.get("/api/rules/conflicts")).json()

    assert [
        (item["kind"], item["rule_id"], item["by_id"], item["unreachable"])
        for item in found["items"]
    ] == [
        ("shadowed", exact, broad, True),
        ("identical", same, broad, True),
        ("identical", last, first, False),
    ]


async def test_rows_that_are_no_rules_do_not_keep_conflicts_from_being_found(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    waits = {"on": "text", "match": "exact", "keyword": "商城"}
    first, second = [await posted(client, name, trigger=waits) for name in ("One", "Two")]
    bad = await posted(client, "Bad")
    await connection.execute(
        """UPDATE rules SET trigger = '{"on": "text", "match": "regex", "keyword": "("}'
        WHERE id = $1""",
        bad,
    )

    found = (await client.get("/api/rules/conflicts")).json()

    assert [(item["rule_id"], item["by_id"]) for item in found["items"]] == [(second, first)]
    assert [item["id"] for item in found["left_out"]] == [bad]
    assert "missing )" in found["left_out"][0]["problem"]


async def test_an_import_takes_no_more_statements_for_many_rules_than_for_few(
    client: httpx.AsyncClient, database: Database
) -> None:
    statements: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        statements.append(statement)

    async def counted(rules: list[dict[str, Any]]) -> int:
        before = len(statements)
        answer = await take(client, rules)
        assert answer.status_code == 200, answer.text
        return len(statements) - before

    def many(count: int, **changes: object) -> list[dict[str, Any]]:
        named = [as_posted(name=f"R{number}", **changes) for number in range(count)]
        return [rule | {"id": 1000 + n} if n % 2 else rule for n, rule in enumerate(named)]

    few = await counted(many(4))
    assert await counted([]) <= few
    assert await counted(many(40)) == few
    assert await counted(many(40, priority=7, conditions={"cooldown_seconds": 9})) <= few

    rules = await stored(client)
    assert {rule["revision"] for rule in rules} == {2, 4}
    assert {rule["priority"] for rule in rules} == {7}
    assert {rule["id"] for rule in rules if rule["id"] < 1040} == set(range(1001, 1040, 2))
    revisions = (await client.get(f"/api/rules/{rules[0]['id']}/revisions")).json()["items"]
    assert [item["change"] for item in revisions] == ["changed", "added", "deleted", "added"]
    assert revisions[0]["rule"] == revisions[1]["rule"] | {
        "priority": 7,
        "conditions": {"cooldown_seconds": 9},
    }
