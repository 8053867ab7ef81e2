"""What the chat page asks for: what was refused, and why an answer came or did not."""

import json

import httpx
import pytest

from tests.simulator.conftest import APPID, OPENID, Json, Service, Simulator

FOUND: Json = {"winners": [], "near_misses": []}


async def explaining(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=FOUND)


async def failing(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(401, text="no")


async def last_line(simulator: Simulator) -> int:
    line: int = (await simulator.inbox())[-1]["id"]
    return line


async def why(simulator: Simulator, line: int) -> httpx.Response:
    return await simulator.http.get(f"/_sim/followers/{OPENID}/why", params={"line": line})


async def test_a_refused_message_is_in_the_chat_with_its_reason(simulator: Simulator) -> None:
    await simulator.push(event="unsubscribe", event_key="")

    assert await simulator.send("text", {"content": "hi"}) == 45015

    shown = (await simulator.inbox())[-1]
    assert (shown["via"], shown["msgtype"], shown["errcode"]) == ("refused", "text", 45015)
    assert shown["content"] == {"content": "hi"}
    assert shown["reason"] == "response out of time limit or subscription is canceled"


@pytest.mark.parametrize(
    ("action", "members"),
    [
        ({"text": "商城"}, {"text": "商城"}),
        (
            {"event": "CLICK", "event_key": "KEY"},
            {"message": {"Event": "CLICK", "EventKey": "KEY"}},
        ),
    ],
)
async def test_the_service_is_asked_about_the_last_action_before_a_line(
    simulator: Simulator, service: Service, action: dict[str, str], members: dict[str, object]
) -> None:
    simulator.state.admin_token = "token"
    await simulator.push(**action)
    line = await last_line(simulator)
    await simulator.push(text="later")
    service.answers.append(explaining)

    answer = await why(simulator, line)

    assert (answer.status_code, answer.json()) == (200, FOUND)
    request = service.received[-1]
    assert request.url.path == "/api/rules/explain"
    assert request.headers["authorization"] == "Bearer token"
    assert json.loads(request.content) == {"appid": APPID, "openid": OPENID, **members}


async def test_what_is_missing_is_told(simulator: Simulator, service: Service) -> None:
    nothing = await why(simulator, 1)
    await simulator.push(text="a")
    line = await last_line(simulator)
    no_token = await why(simulator, line)
    simulator.state.admin_token = "token"
    service.answers.append(failing)
    refused = await why(simulator, line)

    assert [one.status_code for one in (nothing, no_token, refused)] == [404, 409, 502]
    assert "SIMULATOR_ADMIN_TOKEN" in no_token.json()["detail"]
    assert refused.json()["detail"] == "the service answers HTTP 401: no"
