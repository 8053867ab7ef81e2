"""`python -m simulator` as a process."""

import signal
from pathlib import Path

import httpx
import pytest

from simulator.demo import ACCOUNT
from tests.processes import free_port, run_process, run_simulator


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


def test_the_chat_page_loads_nothing_from_elsewhere() -> None:
    with run_simulator() as url:
        page = httpx.get(url)

    assert page.headers["content-type"].startswith("text/html")
    assert 'src="http' not in page.text
    assert '<link rel="stylesheet"' not in page.text
