"""`oa-bridge doctor`: exit status, JSON, and both languages."""

import asyncio
import json

import asyncpg

from tests.command_run import Run, run
from tests.conftest import patiently_connect
from tests.service import Json

__all__ = ["run"]

NOWHERE = "postgresql://oa@127.0.0.1:1/oa"


def printed_json(lines: list[str]) -> Json:
    """Return the JSON that was printed; the test's log lines stand before it."""
    found: Json = json.loads("\n".join(lines[lines.index("{") :]))
    return found


async def prepared(url: str, *statements: str) -> None:
    connection: asyncpg.Connection = await patiently_connect(url)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def test_a_fault_ends_it_with_2_and_names_the_fix(run: Run) -> None:
    status, lines = run("doctor", DATABASE_URL=NOWHERE)

    assert status == 2
    assert lines[lines.index("fault: Database") + 1].startswith("  Can't connect to the database")
    assert lines[-1].startswith("ok: ")


def test_the_sentences_are_in_chinese_if_asked(run: Run, database_url: str) -> None:
    asyncio.run(prepared(database_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"))

    status, lines = run("doctor --language zh", DATABASE_URL=database_url)

    assert status == 2
    where = lines.index("有故障: 数据库结构")
    assert "oa-bridge migrate" in lines[where + 2]
    assert lines[where + 3] == "  docs/zh/doctor.md#schema"


def test_a_wrong_setting_is_a_finding(run: Run) -> None:
    status, lines = run("doctor --json", PORT="0")

    found = printed_json(lines)
    assert status == 2
    assert found["state"] == "fault"
    (finding,) = found["findings"]
    assert finding["check"] == "settings"
    assert finding["what"]["zh"] == "设置有误：PORT 不能小于 1。"


def test_a_question_about_a_setting_has_one_mark(run: Run) -> None:
    _, lines = run("doctor --json", CONSOL="off")

    (finding,) = printed_json(lines)["findings"]
    assert finding["what"]["en"].endswith("did you mean CONSOLE?")
    assert finding["what"]["zh"].endswith("是否应为 CONSOLE？")


def test_it_asks_wechat_itself_and_says_what_hinders_it(run: Run, database_url: str) -> None:
    status, lines = run("doctor --json", DATABASE_URL=database_url)

    found = {one["check"]: one for one in printed_json(lines)["findings"]}
    assert status == 2
    # Nothing listens where WeChat should be.
    assert found["access-token"]["state"] == "fault"
    assert "127.0.0.1" in found["access-token"]["what"]["en"]
    assert found["disk"]["state"] != "not_applicable"


def test_it_asks_nobody_if_told_so(run: Run, database_url: str) -> None:
    _, lines = run("doctor --json --no-ask", DATABASE_URL=database_url)

    found = {one["check"]: one for one in printed_json(lines)["findings"]}
    assert found["access-token"]["state"] == "look"


def test_nothing_but_hints_ends_it_with_1(run: Run, database_url: str) -> None:
    asyncio.run(
        prepared(
            database_url,
            "INSERT INTO worker_heartbeats VALUES (gen_random_uuid(), now(), now())",
            "INSERT INTO access_tokens VALUES "
            "('wx1f2e3d4c5b6a7980', 'token', now(), now() + interval '1 hour')",
        )
    )

    status, lines = run("doctor --no-ask", DATABASE_URL=database_url)

    assert status == 1
    assert not [line for line in lines if line.startswith("fault: ") and line != lines[-1]]
