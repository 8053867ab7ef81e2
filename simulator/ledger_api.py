"""Control calls that read the ledger and the chats."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response

from simulator.callers import JsonObject
from simulator.ledger import Kind
from simulator.state import StateDep

router = APIRouter(prefix="/_sim")


@router.get("/ledger")
async def read_ledger(
    state: StateDep,
    kind: Kind | None = None,
    appid: str | None = None,
    openid: str | None = None,
    after: int = 0,
    limit: Annotated[int, Query(ge=0)] = 1000,
) -> list[JsonObject]:
    """Return entries with an id above `after`, oldest first, that match all filters."""
    entries = state.ledger.read(kind=kind, appid=appid, openid=openid, after=after, limit=limit)
    return [entry.as_json() for entry in entries]


@router.delete("/ledger", status_code=204)
async def clear_ledger(state: StateDep) -> None:
    """Delete all entries, including the chats."""
    state.ledger.clear()


@router.get("/followers/{openid}/inbox")
async def read_inbox(openid: str, state: StateDep, after: int = 0) -> list[JsonObject]:
    """Return the lines of one follower's chat, oldest first."""
    return [entry.as_json() for entry in state.ledger.chat(openid, after=after)]


@router.get("/media/{media_id}")
async def show_media(media_id: str, state: StateDep) -> Response:
    """Return an uploaded file for the chat page, without a token."""
    item = state.media.peek(media_id)
    if item is None:
        raise HTTPException(404, "unknown media_id")
    return Response(item.content, media_type=item.content_type)
