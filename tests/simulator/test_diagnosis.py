"""The calls about the link itself, over HTTP."""

import pytest

from tests.simulator.conftest import Json, Simulator

SEND = "/cgi-bin/message/custom/send"


async def test_the_callback_check_names_addresses(simulator: Simulator) -> None:
    body = {"action": "all", "check_operator": "DEFAULT"}

    answer = await simulator.post(f"/cgi-bin/callback/check?{await query(simulator)}", body)

    assert answer == {
        "dns": [{"ip": "203.0.113.7", "real_operator": "UNICOM"}],
        "ping": [
            {
                "ip": "203.0.113.7",
                "from_operator": "UNICOM",
                "package_loss": "0%",
                "time": "21.310ms",
            }
        ],
    }


@pytest.mark.parametrize(
    ("changes", "body", "errcode"),
    [
        ({}, {"action": "look", "check_operator": "DEFAULT"}, 40202),
        ({}, {"action": "dns", "check_operator": "ANY"}, 40203),
        ({"callback_enabled": False}, {"action": "dns", "check_operator": "CAP"}, 40201),
    ],
)
async def test_a_callback_check_is_refused(
    simulator: Simulator, changes: Json, body: Json, errcode: int
) -> None:
    if changes:
        await simulator.change_account(**changes)

    answer = await simulator.post(f"/cgi-bin/callback/check?{await query(simulator)}", body)

    assert answer["errcode"] == errcode


async def test_the_quota_counts_the_calls_of_today(simulator: Simulator) -> None:
    for _ in range(3):
        await simulator.post(f"{SEND}?{await query(simulator)}", {})

    answer = await quota(simulator, SEND)

    assert answer["quota"] == {"daily_limit": 500_000, "used": 3, "remain": 499_997}


@pytest.mark.parametrize(("path", "errcode"), [("cgi-bin/a", 76003), ("/cgi-bin/a", 76021)])
async def test_a_quota_of_no_path_is_refused(simulator: Simulator, path: str, errcode: int) -> None:
    assert (await quota(simulator, path))["errcode"] == errcode


async def test_the_menu_says_whether_it_is_open(simulator: Simulator) -> None:
    await simulator.change_account(menu_open=False)

    assert (await simulator.read_api("get_current_selfmenu_info"))["is_menu_open"] == 0


async def query(simulator: Simulator) -> str:
    return f"access_token={await simulator.stable_token()}"


async def quota(simulator: Simulator, path: str) -> Json:
    address = f"/cgi-bin/openapi/quota/get?{await query(simulator)}"
    return await simulator.post(address, {"cgi_path": path})
