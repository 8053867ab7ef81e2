"""The calls about the link itself, over HTTP."""

import pytest

from tests.simulator.conftest import APPID, Json, Simulator

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


async def test_calls_beyond_the_quota_of_the_day_are_refused(simulator: Simulator) -> None:
    await simulator.change_account(daily_limits={SEND: 3}, quota_used={SEND: 1})
    address = f"{SEND}?{await query(simulator)}"

    errcodes = [(await simulator.post(address, {}))["errcode"] for _ in range(4)]
    used = (await quota(simulator, SEND))["quota"]
    await simulator.advance(24 * 3600)
    tomorrow = await simulator.post(f"{SEND}?{await query(simulator)}", {})

    assert [errcode == 45009 for errcode in errcodes] == [False, False, True, True]
    assert used == {"daily_limit": 3, "used": 3, "remain": 0}
    # What other programs call is the same every day.
    assert tomorrow["errcode"] != 45009


async def test_calls_beyond_those_of_a_minute_are_refused_until_the_next(
    simulator: Simulator,
) -> None:
    await simulator.change_account(minute_limits={SEND: 2})
    address = f"{SEND}?{await query(simulator)}"

    errcodes = [(await simulator.post(address, {}))["errcode"] for _ in range(3)]
    rate = (await quota(simulator, SEND))["rate_limit"]
    await simulator.advance(60)

    assert [errcode == 45011 for errcode in errcodes] == [False, False, True]
    assert (await simulator.post(address, {}))["errcode"] != 45011
    assert rate == {"call_count": 2, "refresh_second": 60}


async def test_quotas_are_cleared_ten_times_a_month(simulator: Simulator) -> None:
    await simulator.change_account(daily_limits={SEND: 1})
    address, clear = [f"{path}?{await query(simulator)}" for path in (SEND, "/cgi-bin/clear_quota")]
    appid = {"appid": APPID}
    await simulator.post(address, {})
    refused = await simulator.post(address, {})

    cleared = [(await simulator.post(clear, appid))["errcode"] for _ in range(11)]
    of_another = await simulator.post(clear, {"appid": "wxffffffffffffffff"})

    assert refused["errcode"] == 45009
    assert cleared == [0] * 10 + [48006]
    assert of_another["errcode"] == 40013
    assert (await simulator.post(address, {}))["errcode"] != 45009


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
