"""`GET ticket/getticket`. Source: protocol 9.6; linkage 6.1."""

import secrets

from fastapi import APIRouter, Request

from simulator.callers import CallerDep, JsonObject
from simulator.errors import ApiError
from simulator.state import StateDep

LIFE_SECONDS = 7200

router = APIRouter(prefix="/cgi-bin/ticket")


@router.get("/getticket")
async def getticket(request: Request, account: CallerDep, state: StateDep) -> JsonObject:
    """Issue a new ticket; query type. The earlier ones stay valid until their end."""
    if request.query_params.get("type") not in {"jsapi", "wx_card"}:
        raise ApiError(40097)
    if account.is_mini_program:
        raise ApiError(48001)
    ticket = secrets.token_urlsafe(48)
    state.tickets.setdefault(account.appid, []).append(ticket)
    return {"ticket": ticket, "expires_in": LIFE_SECONDS}
