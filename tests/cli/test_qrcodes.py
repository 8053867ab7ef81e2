"""`oa-bridge qrcodes` as an administrator calls it."""

import asyncio
import zipfile
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from app.ops import logging
from tests.conftest import patiently_connect

SETTINGS = {
    "WECHAT_APPID": "wx1f2e3d4c5b6a7980",
    "WECHAT_APPSECRET": "0123456789abcdef0123456789abcdef",
    "WECHAT_TOKEN": "token",
    "WECHAT_MESSAGE_MODE": "plain",
    "PUBLIC_URL": "https://oa.example.com",
    "LOG_LEVEL": "ERROR",
}


class Command:
    """Calls `oa-bridge qrcodes` in this process."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._database_url = database_url
        self._environment = SETTINGS | {"DATABASE_URL": database_url, "DATA_DIR": str(folder)}

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit status, and what was written to standard output and error."""
        environment = self._environment | {"COLUMNS": "200"}
        done = CliRunner().invoke(cli, ["qrcodes", *arguments], env=environment)
        return done.exit_code, done.stdout, done.stderr

    def let_wechat_make(self, scene: str) -> None:
        """Store what the worker would."""

        async def store() -> None:
            connection = await patiently_connect(self._database_url)
            await connection.execute(
                "UPDATE qrcodes SET url = 'http://weixin.qq.com/q/1' WHERE scene = $1", scene
            )
            await connection.close()

        asyncio.run(store())


@pytest.fixture
def command(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr(logging, "configure", lambda _: None)
    return Command(database_url, tmp_path)


def test_a_list_is_imported_followed_and_drawn(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text("name,scene\nStore 1,store_1\n北京,store_2\n")
    status, list_id, said = command.run("import", str(file), "--permanent", "--key", "a")
    assert (status, "2 codes wait" in said) == (0, True)
    assert command.run("import", str(file), "--permanent", "--key", "a")[1] == list_id
    command.let_wechat_make("store_1")

    assert (
        command.run("progress", list_id.strip())[1]
        == "made 1\trefused 0\tunanswered 0\twaiting 1\n"
    )
    pictures = tmp_path / "pictures.zip"
    assert command.run("pictures", list_id.strip(), str(pictures), "--svg", "--with-name")[0] == 0
    with zipfile.ZipFile(pictures) as archive:
        assert sorted(archive.namelist()) == ["0001-store_1.svg", "codes.csv"]
    assert command.run("list", "--scene", "store_1")[1] == "store_1\tlive\t0\t0\t0\t0\t0\tStore 1\n"


def test_what_can_not_be_done_is_said_in_one_line(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    file.write_text("Store 🍜,store_1\n")
    _, list_id, _ = command.run("import", str(file))
    none, big = str(uuid4()), tmp_path / "big.csv"
    big.write_bytes(b"a" * 300_000)
    target = str(tmp_path / "a.zip")
    for arguments, word in (
        (("import", str(file)), "store_1"),
        (("import", str(tmp_path / "none.csv")), "can't be read"),
        (("import", str(big)), "split it"),
        (("import", str(file), "--appid", "wx1"), "--appid"),
        (("import", str(file), "--scene-prefix", "a b"), "--scene-prefix"),
        (("progress", none), "does not exist"),
        (("pictures", none, target), "does not exist"),
        (("pictures", list_id.strip(), target, "--with-name"), "the format svg"),
        (("pictures", list_id.strip(), "/nowhere/a.zip"), "/nowhere/a.zip"),
    ):
        status, _, said = command.run(*arguments)
        assert (status, said.count("\n")) == (1, 1), arguments
        assert word in said, arguments
