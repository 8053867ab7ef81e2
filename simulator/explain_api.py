"""The control call behind "why?": asks the service which rule answers a line of the chat."""

from typing import Annotated
from urllib.parse import urlsplit

import httpx
from fastapi import APIRouter, HTTPException, Query

from simulator.callers import JsonObject
from simulator.control_api import account_named
from simulator.ledger import Entry
from simulator.state import StateDep

MESSAGES = frozenset({"text", "image", "voice", "video", "shortvideo", "location", "link"})
NOT_ALLOWED = (
    "start the simulator with one of ADMIN_TOKENS in SIMULATOR_ADMIN_TOKEN to see why, as make run "
    "does"
)
TIMEOUT_SECONDS = 10.0

router = APIRouter(prefix="/_sim")


@router.get("/followers/{openid}/why")
async def explain(openid: str, state: StateDep, line: Annotated[int, Query(ge=1)]) -> JsonObject:
    """Return the service's explanation of the follower's last action up to a line of the chat.

    404 if there is none, 409 without an admin token, 502 with what the service says instead.
    """
    asked = [
        entry
        for entry in state.ledger.chat(openid)
        if entry.id <= line and entry.facts["via"] == "follower"
    ]
    if not asked:
        raise HTTPException(404, "the follower has not done anything before this line")
    if state.admin_token is None:
        raise HTTPException(409, NOT_ALLOWED)
    account = account_named(state, asked[-1].appid)
    url = urlsplit(account.callback())
    try:
        answer = await state.client.post(
            f"{url.scheme}://{url.netloc}/api/rules/explain",
            json=question(asked[-1]),
            headers={"Authorization": f"Bearer {state.admin_token}"},
            timeout=TIMEOUT_SECONDS,
        )
    except httpx.TransportError as error:
        raise HTTPException(502, f"the service does not answer: {type(error).__name__}") from None
    if answer.status_code != httpx.codes.OK:
        raise HTTPException(502, f"the service answers HTTP {answer.status_code}: {answer.text}")
    explanation: JsonObject = answer.json()
    return explanation


def question(entry: Entry) -> JsonObject:
    """Return the question of `/api/rules/explain` about a line of a follower."""
    kind, content = str(entry.facts["msgtype"]), entry.facts["content"]
    members: JsonObject = content if isinstance(content, dict) else {}
    asked: JsonObject = {"appid": entry.appid, "openid": entry.openid}
    if kind == "text":
        return asked | {"text": members.get("Content", "")}
    name = "MsgType" if kind in MESSAGES else "Event"
    return asked | {"message": {**members, name: kind}}
