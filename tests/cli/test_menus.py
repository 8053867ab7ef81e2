"""`oa-bridge menus` reads, compares and publishes menus, as a file and as the draft."""

import asyncio
import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api_errors import InvalidRequest
from app.cli import menus_work
from app.cli.actor import cli_actor
from app.menus import publish, store, yaml_document
from app.menus.document import Menu
from app.menus.models import MenuVersion
from app.wechat.api import WeChatApi
from simulator.app import create_app as create_wechat
from tests.command_run import Run, run
from tests.httpx_client import HttpxClient
from tests.menus.makers import click, for_tag, menu, shop
from tests.service import ACCOUNT, Network, WeChat
from tests.waiting import eventually

__all__ = ["run"]


@pytest.fixture
def wechat(monkeypatch: pytest.MonkeyPatch) -> WeChat:
    """WeChat, which the commands reach without a port."""
    simulator = create_wechat([ACCOUNT], openids=[])

    def made(base_url: str, timeout: object, _client: object) -> WeChatApi:
        del base_url
        client = HttpxClient(httpx.AsyncClient(transport=Network(simulator)))
        return WeChatApi("http://wechat", timeout, client)  # type: ignore[arg-type]

    monkeypatch.setattr(menus_work, "WeChatApi", made)
    return WeChat(simulator.state.simulator, httpx.AsyncClient())


def file_of(folder: Path, document: dict[str, object]) -> Path:
    file = folder / "menu.yaml"
    file.write_bytes(yaml_document.write(Menu.model_validate(document)))
    return file


def test_a_menu_is_pulled_compared_published_listed_and_restored(
    run: Run, wechat: WeChat, database_url: str, tmp_path: Path
) -> None:
    def command(arguments: str) -> list[str]:
        status, lines = run(arguments, DATABASE_URL=database_url)
        assert status == 0, lines
        return lines

    pulled = command("menus pull")
    assert "- name: 官网" in pulled
    assert any("营业时间" in line and "text" in line for line in pulled)
    assert command("menus versions") == ["There is no version yet."]

    file = file_of(tmp_path, menu(click(), conditional=[for_tag("108", shop())]))
    changes = command(f"menus diff {file}")
    assert "~ 1" in changes
    assert "+ c1-1" in changes
    assert wechat.state.menus.of[ACCOUNT.appid].button is None

    assert "Version 1 is published." in command(f"menus publish {file} --yes")
    assert wechat.state.menus.of[ACCOUNT.appid].button == [click()]
    assert command(f"menus diff {file}") == ["WeChat shows this menu already."]
    assert "\n".join(command("menus pull")) + "\n" == file.read_text()

    first = command("menus versions")
    assert [line.split()[0] for line in first] == ["2", "1"]
    command("menus restore 2")
    assert "- c1-1" in command("menus diff")


def test_a_publication_that_is_not_confirmed_or_sound_changes_nothing(
    run: Run,
    wechat: WeChat,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    file = file_of(tmp_path, menu(click(name="积分商城好啊")))
    status, lines = run(f"menus publish {file} --yes", DATABASE_URL=database_url)
    assert status == 1
    assert lines == [
        "oa-bridge: button.0.name (40018): has 18 bytes, and at most 16 fit (5 汉字): shorten it"
    ]
    file = file_of(tmp_path, menu(click()))
    status, lines = run(f"menus publish {file}", DATABASE_URL=database_url)
    assert status == 1
    assert "nothing was changed" in lines[-1]
    status, lines = run("menus restore 7", DATABASE_URL=database_url)
    assert (status, lines) == (1, ["oa-bridge: the account has no version 7"])
    assert wechat.state.menus.of[ACCOUNT.appid].button is None


def test_a_draft_that_changes_after_it_was_shown_is_not_published(
    run: Run,
    wechat: WeChat,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = file_of(tmp_path, menu(click()))
    assert run(f"menus publish {file} --yes", DATABASE_URL=database_url)[0] == 0
    assert run("menus restore 1", DATABASE_URL=database_url)[0] == 0
    read = menus_work._changes

    async def read_while_somebody_saves(*arguments: Any) -> Any:  # noqa: ANN401 - as it is
        tools, appid, _menu = arguments
        async with tools.database.sessions.begin() as session:
            other = Menu.model_validate(menu(click("别的", "other")))
            await store.save_draft(
                session, cli_actor(), appid, other, tools.clock.now(), revision=None
            )
        return await read(*arguments)

    monkeypatch.setattr(menus_work, "_changes", read_while_somebody_saves)
    status, lines = run("menus publish --yes", DATABASE_URL=database_url)

    assert status == 1
    assert "the draft has the revision 3 by now" in lines[-1]
    assert wechat.state.menus.of[ACCOUNT.appid].button == [click()]


def test_a_publication_that_a_worker_takes_first_is_waited_for(
    run: Run,
    wechat: WeChat,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wechat.strike("/cgi-bin/menu/create", latency_seconds=0.2)
    order = menus_work._order
    workers: list[asyncio.Task[None]] = []

    async def order_and_be_late(tools: Any, *arguments: Any) -> MenuVersion:  # noqa: ANN401 - as it is
        version = await order(tools, *arguments)
        publisher = publish.Publisher(tools.database.sessions, tools.wechat, tools.clock)
        workers.append(asyncio.create_task(publish.publish(publisher, version.id)))

        async def is_taken() -> bool:
            async with tools.database.sessions.begin() as session:
                return (await session.get_one(MenuVersion, version.id)).lease is not None

        await eventually(is_taken)
        return version

    monkeypatch.setattr(menus_work, "_order", order_and_be_late)
    file = file_of(tmp_path, menu(click()))
    status, lines = run(f"menus publish {file} --yes", DATABASE_URL=database_url)

    assert status == 0, lines
    assert "Version 1 is published." in lines
    assert workers[0].done()
    assert len(wechat.calls("/cgi-bin/menu/create")) == 1


def test_a_refusal_of_wechat_is_printed_with_its_fix(
    run: Run, wechat: WeChat, database_url: str, tmp_path: Path
) -> None:
    file = file_of(tmp_path, menu(click()))
    wechat.strike("/cgi-bin/menu/create", errcode=40018, count=1)
    status, lines = run(f"menus publish {file} --yes", DATABASE_URL=database_url)

    assert status == 1
    assert "version 1 is failed: WeChat refuses with errcode 40018" in lines[-1]
    assert "rid" in lines[-1]
    assert lines[-1].endswith("what was there before is restored")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        found = yaml_document.read(content)
    except InvalidRequest:
        return
    assert yaml_document.read(yaml_document.write(found)) == found


def test_a_document_of_more_than_a_mebibyte_is_not_read() -> None:
    with pytest.raises(InvalidRequest):
        yaml_document.read(b"a" * (yaml_document.MAX_BYTES + 1))
