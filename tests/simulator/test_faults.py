"""Faults and the ledger of API calls; a cut connection needs a real one."""

import httpx
import pytest

from tests.processes import run_simulator
from tests.simulator.conftest import OPENID, Json, Simulator, credentials

SEND = "/cgi-bin/message/custom/send"
TEXT = {"content": "hi"}


async def test_an_errcode_comes_as_often_as_counted_and_hides_the_call(
    simulator: Simulator,
) -> None:
    await simulator.push(text="hi")
    await simulator.post("/_sim/faults", {"path": SEND, "errcode": -1, "count": 2})

    assert [await simulator.send("text", TEXT) for _ in range(3)] == [-1, -1, 0]
    assert [line["via"] for line in await simulator.inbox()] == ["follower", "customer_service"]


async def test_a_fault_without_a_count_lasts_until_cleared(simulator: Simulator) -> None:
    await simulator.push(text="hi")
    await simulator.post("/_sim/faults", {"path": SEND, "errcode": 45009})
    assert [await simulator.send("text", TEXT) for _ in range(3)] == [45009] * 3

    await simulator.http.delete("/_sim/faults", params={"path": SEND})
    assert await simulator.send("text", TEXT) == 0


async def test_a_fault_can_be_an_http_status(simulator: Simulator) -> None:
    await simulator.post("/_sim/faults", {"path": SEND, "status": 502, "count": 1})

    answer = await simulator.http.post(SEND)

    assert answer.status_code == 502


async def test_a_fault_can_be_a_page_of_a_gateway_and_hides_the_call(simulator: Simulator) -> None:
    await simulator.push(text="hi")
    page = {"path": SEND, "status": 302, "location": "http://portal.example/", "count": 1}
    await simulator.post("/_sim/faults", page)
    odd = {"path": SEND, "body": '{"errmsg":"超出"}', "encoding": "gb18030", "count": 1}
    await simulator.post("/_sim/faults", odd)

    first, second = await simulator.http.post(SEND), await simulator.http.post(SEND)

    assert (first.status_code, first.headers["location"]) == (302, "http://portal.example/")
    assert (second.status_code, second.content) == (200, '{"errmsg":"超出"}'.encode("gbk"))
    assert [line["via"] for line in await simulator.inbox()] == ["follower"]


async def test_a_fault_can_change_members_of_an_answer_that_took_effect(
    simulator: Simulator,
) -> None:
    token = "/cgi-bin/stable_token"
    change = {"path": token, "changed": {"expires_in": "7200"}, "removed": ["errmsg"], "count": 1}
    await simulator.post("/_sim/faults", change)

    odd, usual = [await simulator.post(token, credentials()) for _ in range(2)]

    assert odd == usual | {"expires_in": "7200"}


@pytest.mark.parametrize(("drop", "delivered"), [("before", 0), ("after", 1)])
def test_a_cut_connection_may_hide_a_message_that_was_delivered(drop: str, delivered: int) -> None:
    with run_simulator() as url, httpx.Client(base_url=url) as client:
        token = client.post("/cgi-bin/stable_token", json=credentials()).json()["access_token"]
        # Nobody answers this push; it opens the window all the same.
        once = {"deliveries": 1, "timeout_seconds": 0.1}
        push = {"text": "hi", "delivery": once, "callback_url": "http://127.0.0.1:1/"}
        client.post("/_sim/push", json=push).raise_for_status()
        client.post("/_sim/faults", json={"path": SEND, "drop": drop, "count": 1})

        with pytest.raises(httpx.TransportError):
            client.post(
                SEND,
                params={"access_token": token},
                json={"touser": OPENID, "msgtype": "text", "text": TEXT},
            )

        chat = client.get(f"/_sim/followers/{OPENID}/inbox").json()
        calls = client.get("/_sim/ledger", params={"kind": "api_call"}).json()
    assert sum(line["via"] == "customer_service" for line in chat) == delivered
    assert calls[-1]["dropped"] == drop


def test_latency_outlasts_an_impatient_client() -> None:
    with run_simulator() as url, httpx.Client(base_url=url) as client:
        fault = {"path": "/cgi-bin/token", "latency_seconds": 60, "count": 1}
        client.post("/_sim/faults", json=fault)

        with pytest.raises(httpx.ReadTimeout):
            client.get("/cgi-bin/token", timeout=0.1)


async def test_the_ledger_names_the_call_but_no_credential(simulator: Simulator) -> None:
    token = await simulator.stable_token()
    await simulator.push(text="hi")
    await simulator.send("text", TEXT)

    calls = await simulator.list("/_sim/ledger", kind="api_call")

    last: Json = calls[-1]
    assert (last["path"], last["openid"], last["errcode"]) == (SEND, OPENID, 0)
    assert '"touser"' in last["body"]
    assert token not in str(calls)
    assert credentials()["secret"] not in str(calls)


async def test_the_ledger_is_read_in_parts_and_forgotten(simulator: Simulator) -> None:
    for text in ("one", "two", "three"):
        await simulator.push(text=text)
    first = await simulator.list("/_sim/ledger", kind="push", limit=1)

    rest = await simulator.list("/_sim/ledger", kind="push", after=first[0]["id"])

    assert len(rest) == 2
    await simulator.http.delete("/_sim/ledger")
    assert await simulator.list("/_sim/ledger") == []
    assert await simulator.inbox() == []


@pytest.mark.parametrize("what", ["ledger", "followers"])
async def test_a_negative_limit_is_refused(simulator: Simulator, what: str) -> None:
    answer = await simulator.http.get(f"/_sim/{what}", params={"limit": -1})

    assert answer.status_code == 422
