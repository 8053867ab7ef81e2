"""Settings that can't be used end the start with one clear line each, and show no secret."""

import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.e2e.children import environment, oa_bridge
from tests.e2e.stack import account_settings

SECRET = "s3cret-that-nobody-may-see"


def _start(command: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        oa_bridge(command),
        env=environment({"DATABASE_URL": "postgresql://localhost:1/none"} | settings),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_every_bad_setting_is_one_line(tmp_path: Path) -> None:
    bad = account_settings() | {
        "PORT": "high",
        "MAX_BODY_BYTES": "1",
        "DATABASE_URL": f"mysql://root:{SECRET}@localhost/x",
        "WECHAT_MESSAGE_MODE": "open",
        # The usual one may be too long below the folder of the test.
        "DATA_DIR": tempfile.gettempdir(),
    }

    ended = _start("serve", tmp_path, **bad)

    _named(ended, "PORT", "MAX_BODY_BYTES", "DATABASE_URL", "WECHAT_MESSAGE_MODE")


def test_every_mistake_in_an_account_is_one_line(tmp_path: Path) -> None:
    bad = account_settings() | {
        "WECHAT_APPID": "gh_demo0000001",
        "WECHAT_TOKEN": SECRET * 2,
        "WECHAT_ENCODING_AES_KEY": SECRET,
        "ACCOUNTS_FILE": "missing.toml",
    }

    ended = _start("worker", tmp_path, **bad)

    _named(ended, "WECHAT_APPID", "WECHAT_TOKEN", "WECHAT_ENCODING_AES_KEY", "ACCOUNTS_FILE")


def test_no_account_at_all_says_what_to_set(tmp_path: Path) -> None:
    _named(_start("migrate", tmp_path), "WECHAT_APPID")


def test_settings_and_accounts_are_complained_of_in_one_go(tmp_path: Path) -> None:
    bad = account_settings() | {
        "PORT": "high",
        "WECHAT_TOKEN": SECRET,
        "WECHAT_API_BASE_URL": "https://",
    }

    ended = _start("worker", tmp_path, **bad)

    _named(ended, "PORT", "WECHAT_API_BASE_URL", "WECHAT_TOKEN")


@pytest.mark.parametrize("url", ["", "postgresql://localhost:1/none"], ids=["embedded", "own"])
def test_a_folder_in_which_nothing_can_be_kept_is_one_line(tmp_path: Path, url: str) -> None:
    (tmp_path / "file").touch()
    settings = account_settings() | {"DATABASE_URL": url, "DATA_DIR": str(tmp_path / "file" / "x")}

    _named(_start("serve", tmp_path, **settings), "DATA_DIR")


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = _start("worker", tmp_path, **account_settings(), WORKER_METRICS_PORT=port)

    _named(ended, "WORKER_METRICS_PORT")


def _named(ended: subprocess.CompletedProcess[str], *names: str) -> None:
    lines = ended.stderr.splitlines()
    assert ended.returncode == 2
    assert len(lines) == len(names), lines
    assert all(line.startswith("oa-bridge: ") for line in lines)
    for name in names:
        assert any(line.startswith(f"oa-bridge: {name}:") for line in lines), lines
    assert SECRET not in ended.stdout + ended.stderr
