"""Runs a command of `oa-bridge` in the process of the test."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli import web_processes
from app.cli.main import main
from app.ops import logging
from tests.service import ACCOUNT

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in this process; returns its status and the lines that it printed."""
    # It would set up the logging of the whole test process.
    monkeypatch.setattr(logging, "configure", lambda _: None)
    monkeypatch.setattr(web_processes, "PORT_SECONDS", 0.0)

    def call(arguments: str, **settings: str) -> tuple[int, list[str]]:
        good = {
            # Else the embedded one would start, whose socket has no room in a long path.
            "DATABASE_URL": "postgresql://oa@127.0.0.1:1/oa",
            "DATA_DIR": str(tmp_path),
            "WECHAT_APPID": ACCOUNT.appid,
            "WECHAT_APPSECRET": ACCOUNT.secret,
            "WECHAT_TOKEN": ACCOUNT.token,
            "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key or "",
            "WECHAT_API_BASE_URL": "http://127.0.0.1:1",
            # Without one a warning is logged at the start.
            "SECRET_KEY": "a key of sixteen characters or more",
        }
        for name, value in (good | settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["oa-bridge", *shlex.split(arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        lines = (printed.out + printed.err).splitlines()
        assert "Traceback" not in printed.out + printed.err
        return ended.value.code if isinstance(ended.value.code, int) else 0, lines

    return call
