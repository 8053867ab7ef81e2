"""Imports of rules: a preview first, by a worker; the page of it survives whatever happens."""

import asyncio
import re
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest

from app.access.roles import Role
from app.console.rules import import_page
from app.rules.importing import import_store, receive
from app.worker import Jobs
from tests.console import made_imports
from tests.console.operator import FROM_A_PAGE, Operator, signed_in
from tests.service import Service, column, rows, text_reply

DOCUMENT = b"""rules:
- name: Imported
  trigger: {on: text, match: exact, keyword: hello}
  replies: [{msgtype: text, via: passive, content: hi}]
"""
BEAT = "INSERT INTO worker_heartbeats VALUES (gen_random_uuid(), now(), now())"


async def sent(
    operator: Operator, content: bytes, *, name: str = "rules.yaml", **headers: str
) -> httpx.Response:
    """Send a file by the form of the page."""
    return await operator.http.post(
        "/console/rules/import",
        files={"file": (name, content, "application/yaml")},
        headers=FROM_A_PAGE | headers,
    )


def page_of(answer: httpx.Response) -> str:
    """Return the path, below the console, that an answer leads to."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/console")


async def work(jobs: Jobs, connection: asyncpg.Connection) -> int:
    """Do the jobs that wait in the queue, as a worker does; return how many they were."""
    found = await column(
        connection,
        "DELETE FROM pgqueuer WHERE entrypoint = 'rules.import' RETURNING payload",
    )
    for payload in found:
        await jobs.import_rules(orjson.loads(payload))
    return len(found)


def version_on(page: str) -> dict[str, str]:
    """Return what the button of a preview sends."""
    return {"version": page.split('name="version" value="')[1].split('"', maxsplit=1)[0]}


async def names(service: Service) -> list[str]:
    """Return the names of the stored rules."""
    return [rule["name"] for rule in (await service.read("rules"))["items"]]


async def test_a_file_is_shown_first_and_imported_then(
    service: Service, owner: Operator, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.add_rule(text_reply(), name="Old")
    path = page_of(await sent(owner, DOCUMENT))
    waiting = (await owner.get(path)).text
    assert await work(jobs, connection) == 1
    preview = (await owner.get(path)).text
    before = await names(service)
    begun = await owner.post(path, version_on(preview))
    running = (await owner.get(path)).text
    assert await work(jobs, connection) == 1
    done = (await owner.get(path)).text

    assert "Bytes of the document" in waiting or "Waits for a worker" in waiting
    assert "Added: 1, changed: 0, removed: 1, unchanged: 0" in preview
    assert before == ["Old"]
    assert page_of(begun) == path
    assert "Being imported" in running
    assert "Every process uses the rules soon." in done
    assert "Added: 1, changed: 0, removed: 1, unchanged: 0" in done
    assert "Imported" in done.split("New rules")[1]
    assert await names(service) == ["Imported"]
    assert await column(connection, "SELECT count(*) FROM rule_import_parts") == [0]


async def test_the_audit_log_has_one_entry_of_whoever_began_it(
    service: Service, owner: Operator, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    path = page_of(await sent(owner, DOCUMENT))
    await work(jobs, connection)
    async with signed_in(service, Role.EDITOR, name="Editor") as editor:
        preview = (await editor.get(path)).text
        assert "小王" in preview
        await editor.post(path, version_on(preview))
    version = int(version_on(preview)["version"])
    await work(jobs, connection)

    found = await rows(
        connection,
        "SELECT actor_kind, actor_name, address, subject_kind, subject_id, before, after, count "
        "FROM audit_log WHERE action = 'rules.imported'",
    )
    (entry,) = found
    assert entry["address"]
    assert {name: value for name, value in entry.items() if name != "address"} == {
        "actor_kind": "operator",
        "actor_name": "Editor",
        "subject_kind": "rules",
        "subject_id": "all",
        "before": str(version),
        "after": str(version + 1),
        "count": 1,
    }
    assert await column(connection, "SELECT DISTINCT operator FROM rule_revisions") == ["Editor"]
    assert "imported rules" in (await owner.get("/audit")).text


async def test_asked_twice_and_by_two_it_is_imported_once(
    service: Service, owner: Operator, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    path = page_of(await sent(owner, DOCUMENT))
    await work(jobs, connection)
    form = version_on((await owner.get(path)).text)
    async with signed_in(service, Role.EDITOR, name="Editor") as editor:
        answers = await asyncio.gather(
            *(operator.post(path, form) for operator in (owner, editor) for _ in range(3))
        )
    jobs_made = await work(jobs, connection)
    again = await owner.post(path, form)

    assert {page_of(answer) for answer in [*answers, again]} == {path}
    assert (jobs_made, await work(jobs, connection)) == (1, 0)
    imported = "SELECT count(*) FROM audit_log WHERE action = 'rules.imported'"
    assert await column(connection, imported) == [1]


async def test_rules_that_changed_since_the_preview_are_not_overwritten(
    service: Service, owner: Operator, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    path = page_of(await sent(owner, DOCUMENT))
    await work(jobs, connection)
    first = version_on((await owner.get(path)).text)
    await service.add_rule(text_reply(), name="Meanwhile")
    await owner.post(path, first)
    await work(jobs, connection)
    page = (await owner.get(path)).text
    unchanged = await names(service)
    await owner.post(path, first)  # of a window that shows the first preview still
    assert await work(jobs, connection) == 0
    await owner.post(path, version_on(page))
    await work(jobs, connection)

    assert "The rules have changed since the preview. Look at the new one." in page
    assert "Added: 1, changed: 0, removed: 1, unchanged: 0" in page
    assert "Meanwhile" in page
    assert unchanged == ["Meanwhile"]
    assert await names(service) == ["Imported"]


@pytest.mark.parametrize("content", [b"rules: [", b"- 1", b"rules: [{name: x}]", b"\x00\x01"])
async def test_a_file_that_can_not_be_imported_says_why(
    owner: Operator, jobs: Jobs, connection: asyncpg.Connection, content: bytes
) -> None:
    path = page_of(await sent(owner, content))
    await work(jobs, connection)
    page = await owner.get(path)

    assert "notice-fault" in page.text
    assert "Import now" not in page.text
    assert "Refused" in (await owner.get("/rules/import")).text
    assert await column(connection, "SELECT count(*) FROM rule_import_parts") == [0]


async def test_what_is_wrong_is_said_in_the_operators_language(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    async with signed_in(service, Role.EDITOR, language="zh") as editor:
        path = page_of(await sent(editor, b"rules: [{name: x}]"))
        await work(jobs, connection)
        page = (await editor.get(path)).text

    assert '<bdi class="typed ">rules.0.trigger</bdi>' in page
    assert "没有做任何修改" in page


@pytest.mark.parametrize("htmx", [False, True])
async def test_what_is_no_document_is_refused_at_once(
    owner: Operator,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    htmx: bool,
) -> None:
    monkeypatch.setattr(import_page, "MAX_BYTES", len(DOCUMENT))
    headers = {"HX-Request": "true"} if htmx else {}
    none = await owner.http.post("/console/rules/import", data={}, headers=FROM_A_PAGE | headers)
    empty = await sent(owner, b"", **headers)
    large = await sent(owner, DOCUMENT + b"\n", **headers)
    before = await column(connection, "SELECT count(*) FROM rule_imports")
    taken = await sent(owner, DOCUMENT, **headers)

    assert [answer.status_code for answer in (none, empty, large)] == [422, 422, 413]
    assert "Choose a file first." in none.text
    assert "The file is empty." in empty.text
    assert "Choose a smaller one." in large.text
    assert before == [0]
    assert taken.status_code == (204 if htmx else 303)
    assert ("HX-Redirect" in taken.headers) is htmx


async def test_a_document_of_many_parts_is_read_as_a_whole(
    owner: Operator,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receive, "CHUNK_BYTES", 64)
    wanted = [f"规则 {number}" for number in range(300)]
    path = page_of(await sent(owner, made_imports.document(*wanted), name="x.json"))
    parts = await column(connection, "SELECT count(*) FROM rule_import_parts")
    await work(jobs, connection)
    page = (await owner.get(path)).text
    await owner.post(path, version_on(page))
    await work(jobs, connection)

    assert parts[0] > 100
    assert "Added: 300" in page
    assert "100 more are not shown." in page
    stored = await column(connection, "SELECT name FROM rules ORDER BY id")
    assert list(stored) == wanted


async def test_a_page_says_that_no_worker_runs(
    service: Service, owner: Operator, connection: asyncpg.Connection
) -> None:
    path = await made_imports.an_import_that_waits(service)
    alone = [(await owner.get(path)).text, (await owner.get_part(f"{path}/progress")).text]
    await connection.execute(BEAT)
    attended = [(await owner.get(path)).text, (await owner.get_part(f"{path}/progress")).text]

    assert all("No worker runs" in page and "oa-bridge worker" in page for page in alone)
    assert not any("No worker runs" in page for page in attended)


async def test_the_progress_is_asked_for_until_it_is_over(
    service: Service, owner: Operator, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    path = await made_imports.an_import_that_waits(service)
    await connection.execute("UPDATE rule_imports SET step = 'writing', done = 3, total = 7")
    running = await owner.get_part(f"{path}/progress")
    await work(jobs, connection)
    over = await owner.get_part(f"{path}/progress")

    assert "3 / 7" in running.text
    assert 'hx-trigger="every 1s"' in running.text
    assert "HX-Refresh" not in running.headers
    assert "every" not in over.text
    assert over.headers["HX-Refresh"] == "true"


async def test_the_latest_imports_lead_to_their_pages(
    owner: Operator, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    paths = [page_of(await sent(owner, DOCUMENT, name=f"{number}.yaml")) for number in range(3)]
    await work(jobs, connection)
    await owner.post(paths[0], version_on((await owner.get(paths[0])).text))
    await work(jobs, connection)
    page = (await owner.get("/rules/import")).text

    assert re.findall(r'href="/console(/rules/imports/[^"]+)"', page) == paths[::-1]
    assert re.findall(r'<td data-label="State"><span[^>]*>([^<]+)</span>', page) == [
        "Waits for you",
        "Waits for you",
        "Imported",
    ]


@pytest.mark.parametrize("path", ["", "/progress"])
async def test_what_is_no_import_is_not_found(owner: Operator, path: str) -> None:
    answer = await owner.get(f"/rules/imports/{UUID(int=0)}{path}")

    assert answer.status_code == 404
    assert (await owner.post(f"/rules/imports/{UUID(int=0)}", {"version": "1"})).status_code == 404


async def test_the_oldest_preview_makes_room_and_what_a_worker_has_to_do_does_not(
    service: Service,
    owner: Operator,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(import_store, "MAX_OPEN", 2)
    first, second = [page_of(await sent(owner, DOCUMENT)) for _ in range(2)]
    busy = await sent(owner, DOCUMENT)
    await work(jobs, connection)
    third = page_of(await sent(owner, DOCUMENT))
    form = version_on((await owner.get(second)).text)
    expired = (await owner.get(first)).text
    await owner.post(first, form)
    await work(jobs, connection)

    assert busy.status_code == 429
    assert "Too many imports wait for a worker." in busy.text
    assert "Its document is deleted: choose the source again." in expired
    assert await names(service) == []
    assert "Import now" in (await owner.get(second)).text
    assert "Import now" in (await owner.get(third)).text


async def test_a_viewer_sees_no_import(service: Service, viewer: Operator) -> None:
    path = await made_imports.a_preview(service)

    assert (await viewer.get("/rules/import")).status_code == 403
    assert (await viewer.get(path)).status_code == 403
    assert (await viewer.post(path, {"version": "1"})).status_code == 403


async def test_replies_of_wechats_console_are_added(
    service: Service,
    owner: Operator,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(*_: object) -> dict[str, object]:
        return {
            "is_add_friend_reply_open": 1,
            "add_friend_autoreply_info": {"type": "text", "content": "welcome"},
            "message_default_autoreply_info": {"type": "img", "content": "a-media-id"},
        }

    monkeypatch.setattr(import_page, "automatic_replies", answer)
    await service.add_rule(text_reply(), name="Stays")
    path = page_of(await owner.post("/rules/import/from-wechat"))
    await work(jobs, connection)
    preview = (await owner.get(path)).text
    async with signed_in(service, Role.EDITOR, name="Editor", language="zh") as editor:
        in_chinese = (await editor.get(path)).text
    await owner.post(path, version_on(preview))
    await work(jobs, connection)

    assert "Console: welcome" in preview
    assert "its media id ends within 3 days" in preview
    assert "Console: default：图片 a-media-id 的 media_id 三天内失效" in in_chinese
    assert "Console: default：没有可以导入的回复" in in_chinese
    stored = (await service.read("rules"))["items"]
    assert {rule["trigger"]["on"] for rule in stored} == {"text", "subscribe"}


async def test_an_account_that_is_none_is_refused_at_once(owner: Operator) -> None:
    answer = await owner.post("/rules/import/from-wechat", {"account": "wx0000000000000000"})

    assert answer.status_code == 422
    assert "Choose an account." in answer.text
