"""`python -m simulator` as a process."""

import signal
import socket
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from simulator.__main__ import BAD_USE, main
from simulator.demo import ACCOUNT
from tests.processes import free_port, run_process, run_simulator


def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(main)
    return app


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_status_0(number: signal.Signals) -> None:
    port = free_port()
    with run_process(["-m", "simulator", "--port", str(port)], port=port) as process:
        process.send_signal(number)

        assert process.wait(10) == 0


def test_a_file_brings_several_accounts(tmp_path: Path) -> None:
    config = tmp_path / "accounts.toml"
    members = "".join(
        f'{name} = "{getattr(ACCOUNT, name)}"\n'
        for name in ("secret", "original_id", "token", "encoding_aes_key", "callback_url")
    )
    appids = ["wx0000000000000001", "wx0000000000000002"]
    config.write_text("".join(f'[[accounts]]\nappid = "{one}"\n{members}' for one in appids))

    with run_simulator("--config", str(config)) as url:
        accounts = httpx.get(f"{url}/_sim/state").json()["accounts"]

    assert [account["appid"] for account in accounts] == appids


ACCOUNT_LINES = "\n".join(
    ["[[accounts]]"]
    + [
        f'{name} = "{getattr(ACCOUNT, name)}"'
        for name in ("appid", "secret", "original_id", "token", "encoding_aes_key", "callback_url")
    ]
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read: No such file or directory"),
        (b"accounts = [", "is not valid TOML: "),
        (b"\xff\xfe", "is not valid TOML: it is no UTF-8 text"),
        (b"[[account]]", "has no account: write [[accounts]]"),
        (b"accounts = 1", "accounts: "),
        (
            ACCOUNT_LINES.replace("callback_url", "callback_uri").encode(),
            "accounts.0.callback_url: is missing: add it",
        ),
        (b"[[accounts]]\nappid = 1", "accounts.0.appid: must be a text in quotation marks"),
        (f'{ACCOUNT_LINES}\nmode = "safe"'.encode(), "accounts.0.mode: must be 'plain'"),
        (
            ACCOUNT_LINES.replace(ACCOUNT.encoding_aes_key, "secret").encode(),
            "encoding_aes_key: an EncodingAESKey is 43 letters and digits",
        ),
        (f"{ACCOUNT_LINES}\n{ACCOUNT_LINES}".encode(), "stands twice: keep one account"),
    ],
)
def test_a_file_that_is_wrong_is_one_sentence(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    config = tmp_path / "accounts.toml"
    if content is not None:
        config.write_bytes(content)

    result = CliRunner().invoke(command(), ["--config", str(config), "--port", str(free_port())])

    assert result.exit_code == BAD_USE, result.output
    assert isinstance(result.exception, SystemExit)
    lines = result.output.splitlines()
    assert all(line.startswith("simulator: ") for line in lines)
    assert said in lines[0]
    assert "secret" not in lines[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--port 99999", "--port: 99999 is no port"),
        ("--host host.invalid", "--host: host.invalid is not found"),
        (
            "--encoding-aes-key short",
            "encoding_aes_key: an EncodingAESKey is 43 letters and digits",
        ),
    ],
)
def test_an_option_that_is_wrong_is_one_sentence(options: str, said: str) -> None:
    port = [] if "--port" in options else ["--port", str(free_port())]

    result = CliRunner().invoke(command(), [*options.split(), *port])

    (line,) = result.output.splitlines()
    assert (result.exit_code, line.startswith("simulator: ")) == (BAD_USE, True)
    assert said in line


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(command(), ["--port", str(port)])

    (line,) = result.output.splitlines()
    assert f"--port: port {port} on 127.0.0.1 can't be listened on (Address already in use)" in line


def test_the_chat_page_loads_nothing_from_elsewhere() -> None:
    with run_simulator() as url:
        page = httpx.get(url)

    assert page.headers["content-type"].startswith("text/html")
    assert 'src="http' not in page.text
    assert '<link rel="stylesheet"' not in page.text
