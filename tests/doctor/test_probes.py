"""Probes cost one harmless call for each API and account, in one process at a time."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.doctor import prober, rules_reader
from app.doctor.console_state import menu_state, replies_state
from app.doctor.doctor import make_doctor
from app.doctor.public_url import call
from app.doctor.rules_reader import RulesReader
from app.settings import Account, Settings
from app.worker import Jobs
from simulator.ledger import Kind
from tests.doctor.findings import examine, one
from tests.service import (
    ACCOUNT,
    APPID,
    CARD_APPID,
    JPEG,
    Service,
    WeChat,
    card,
    column,
    rows,
    text_reply,
)

LATER = timedelta(minutes=10)
QUOTA = "/cgi-bin/openapi/quota/get"
ONCE = {
    "/cgi-bin/stable_token": 1,
    "/cgi-bin/callback/check": 1,
    QUOTA: 1,
    "/cgi-bin/get_current_selfmenu_info": 1,
    "/cgi-bin/get_current_autoreply_info": 1,
}


def calls(wechat: WeChat) -> Counter[str]:
    entries = wechat.state.ledger.read(kind=Kind.API_CALL)
    return Counter(str(entry.facts["path"]) for entry in entries)


async def test_two_at_once_and_again_at_once_ask_once(jobs: Jobs, wechat: WeChat) -> None:
    await asyncio.gather(jobs.examine(), jobs.check_doctor({}))
    await jobs.examine()

    assert calls(wechat) == ONCE


async def test_each_round_asks_about_another_quota(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    for _ in range(5):
        await jobs.examine()
        service.clock.advance(LATER)

    asked = await column(connection, "SELECT api FROM api_quotas ORDER BY api")
    assert len(asked) == 4
    assert calls(wechat)[QUOTA] == 5


async def test_a_refused_token_costs_no_further_call(jobs: Jobs, wechat: WeChat) -> None:
    wechat.strike("/cgi-bin/stable_token", errcode=40243)

    await jobs.examine()

    assert calls(wechat) == {"/cgi-bin/stable_token": 1}


async def test_a_corrected_account_is_seen_at_once(
    service: Service, jobs: Jobs, wechat: WeChat
) -> None:
    wechat.strike("/cgi-bin/stable_token", errcode=40164, count=1)
    await jobs.examine()
    assert (await examine(service))["access-token"]["state"] == "fault"

    service.clock.advance(timedelta(seconds=31))
    await jobs.examine()

    assert (await examine(service))["access-token"]["state"] == "ok"


async def test_what_the_console_has_is_found(service: Service, jobs: Jobs, wechat: WeChat) -> None:
    changed = {"callback_enabled": False, "menu_open": False}
    limit = {"/cgi-bin/message/custom/send": 450_000}
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update=changed | {"quota_used": limit})
    await jobs.examine()

    found = await examine(service)

    assert found["callback-url"]["state"] == "fault"
    assert found["console-menu"]["state"] == "look"
    assert found["console-replies"]["state"] == "look"
    assert found["api-quota"]["what"]["en"].startswith("/cgi-bin/message/custom/send: 450,000 of")
    assert found["api-quota"]["checked_at"] is not None

    await service.add_rule(text_reply())
    assert (await examine(service))["console-replies"]["state"] == "ok"


async def test_since_when_and_a_line_in_the_log_once(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    with capture_logs() as logs:
        await jobs.examine()
    first = {line["check"] for line in logs if line["event"] == "doctor.found"}
    began = service.clock.now()
    service.clock.advance(LATER)
    with capture_logs() as logs:
        await jobs.examine()
    looked = service.clock.now()

    assert "worker" in first
    assert not [line for line in logs if line["event"] == "doctor.found"]
    found = await examine(service)
    assert found["worker"]["since"] == began.isoformat().replace("+00:00", "Z")
    (row,) = await rows(connection, "SELECT * FROM doctor_findings WHERE \"check\" = 'worker'")
    assert (row["state"], row["since"], row["checked_at"]) == ("fault", began, looked)


async def test_rules_that_nobody_met_are_named(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    met, unmet = [await service.add_rule(text_reply(), name=name) for name in ("a", "b")]
    await connection.execute("UPDATE rules SET created_at = created_at - interval '40 days'")
    await connection.execute(
        "INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at,"
        " payload, rule_id) VALUES (gen_random_uuid(), $1, 'a', 'o', 'text', now(),"
        " now() - interval '35 days', '{}', $2)",
        APPID,
        met,
    )
    await jobs.examine()

    found = (await examine(service))["rule-hits"]

    assert found["state"] == "look"
    assert found["what"]["en"] == f"Rules answered nobody in 30 days: {unmet}."


async def test_with_too_many_pushes_no_rule_is_called_unhit(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prober, "MAX_LOOKED_AT", 1)
    await service.add_rule(text_reply())
    await connection.execute("UPDATE rules SET created_at = created_at - interval '40 days'")
    await connection.execute(
        "INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at,"
        " payload) VALUES (gen_random_uuid(), $1, 'a', 'o', 'text', now(),"
        " now() - interval '35 days', '{}')",
        APPID,
    )
    await jobs.examine()

    assert (await examine(service))["rule-hits"]["state"] != "look"


async def test_of_many_media_files_so_many_are_looked_at(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules_reader, "MAX_FILES", 1)
    names = [f"{number}.jpg" for number in range(2)]
    for name in names:
        file = service.settings.media_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(JPEG)
        await service.add_rule(card(thumb={"file": name}), name=name)
        file.unlink()
    reader = RulesReader(service.settings, service.clock)
    report = await reader.read(service.app.state.database.sessions)

    assert report is not None
    assert [bad.file for bad in report.bad_media] == ["0.jpg"]


async def test_a_rule_with_an_unknown_mini_program_is_named(service: Service, jobs: Jobs) -> None:
    rule_id = await service.add_rule(card())
    changes = service.settings.model_dump() | {"mini_program_appids": ("wx00000000000000aa",)}
    known = Settings(_env_file=None, **changes)

    findings = await make_doctor(known, jobs.database, service.clock).findings()

    assert f"rule {rule_id} opens {CARD_APPID}" in one(findings, "rules").what.en


async def test_an_operator_lets_a_worker_ask_but_not_all_the_time(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    for _ in range(2):
        answer = await service.api("POST", "doctor/check")
        assert (answer.status_code, answer.json()) == (202, {"queued": True})
    assert await column(connection, "SELECT entrypoint FROM pgqueuer") == ["doctor.check"]

    await jobs.check_doctor({})
    service.clock.advance(timedelta(seconds=10))
    answer = await service.api("POST", "doctor/check")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "20"


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{echostr}", {"echoed": True}),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", {"status": 200}),
        ("HTTP/1.1 301 Moved\r\nlocation: /a\r\ncontent-length: 0\r\n\r\n", {"status": 301}),
        ("", {"error": "broken"}),
    ],
)
async def test_public_url_is_called_as_wechat_does(answer: str, result: dict[str, Any]) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith(f"GET /callback/{APPID}?signature=")
        echostr = head.split("echostr=")[1].split(" ")[0]
        writer.write(answer.format(length=len(echostr), echostr=echostr).encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    account = Account.model_validate({"appid": APPID, "token": ACCOUNT.token})
    async with server:
        assert await call(f"http://127.0.0.1:{port}/", account, 1_795_000_000.0) == result


async def test_public_url_without_a_server_says_why() -> None:
    account = Account.model_validate({"appid": APPID, "token": ACCOUNT.token})

    assert await call("http://127.0.0.1:1", account, 0.0) == {"error": "refused"}


async def test_the_service_itself_answers_that_call(service: Service, jobs: Jobs) -> None:
    settings = service.settings.model_copy(update={"public_url": "http://service"})
    asked = []

    async def here(public_url: str, account: Account, now: float) -> dict[str, Any]:
        asked.append((public_url, account.appid, now))
        return {"echoed": True}

    await replace(jobs.prober, settings=settings, call_public_url=here).run()

    assert asked == [("http://service", APPID, service.clock.now().timestamp())]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"is_menu_open": 0}, {"open": False, "buttons": 0}),
        ({"is_menu_open": "1", "selfmenu_info": {"button": [{}]}}, {"open": True, "buttons": 1}),
        ({"selfmenu_info": None}, {"open": True, "buttons": 0}),
        ({"is_menu_open": 1, "selfmenu_info": {"button": {}}}, {"open": True, "buttons": 0}),
    ],
)
def test_the_menu_is_read_leniently(answer: dict[str, Any], state: dict[str, Any]) -> None:
    assert menu_state(answer) == state


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        ({}, 0),
        ({"keyword_autoreply_info": {"list": [{}, {}]}, "add_friend_autoreply_info": {}}, 3),
        ({"keyword_autoreply_info": [], "message_default_autoreply_info": None}, 0),
    ],
)
def test_the_replies_of_the_console_are_counted(answer: dict[str, Any], number: int) -> None:
    assert replies_state(answer) == {"rules": number}
