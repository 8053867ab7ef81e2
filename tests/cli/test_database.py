"""Commands whose database is away say so in one line."""

from pathlib import Path

import pytest

from tests.e2e.children import Child, oa_bridge
from tests.processes import free_port
from tests.service import ACCOUNT, APPID
from tests.waiting import PATIENCE_SECONDS

WITHIN = PATIENCE_SECONDS
FAILED, TRY_LATER = 1, 75


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("followers", "sync"), TRY_LATER),
        (("users", "erase", "oUNION", "--yes"), FAILED),
        (("rules", "export"), FAILED),
        (("migrate",), FAILED),
        (("secrets", "rewrite"), FAILED),
    ],
    ids=["sync", "erase", "export", "migrate", "secrets"],
)
async def test_a_command_whose_database_is_away_ends_with_one_line(
    tmp_path: Path, arguments: tuple[str, ...], status: int
) -> None:
    settings = {
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none",
        "WECHAT_APPID": APPID,
        "WECHAT_APPSECRET": "secret",
        "WECHAT_TOKEN": ACCOUNT.token,
        "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key or "",
    }
    child = Child("command", oa_bridge(*arguments), tmp_path, settings)
    child.start()

    assert await child.ended(WITHIN) == status
    (line,) = child.output().splitlines()
    assert line.startswith("oa-bridge: ")
    assert "connect" in line.lower()
