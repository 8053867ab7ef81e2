"""`media/upload` and `media/get`. Source: protocol 6.4."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile

from simulator.callers import CallerDep, JsonObject
from simulator.errors import ApiError
from simulator.state import StateDep

router = APIRouter(prefix="/cgi-bin/media")


@router.post("/upload")
async def upload(request: Request, account: CallerDep, state: StateDep) -> JsonObject:
    """Store the file of the multipart field `media`; query type."""
    async with request.form() as form:
        file = form.get("media")
        if not isinstance(file, UploadFile):
            raise ApiError(41005)
        item = state.media.add(
            account.appid,
            request.query_params.get("type", ""),
            await file.read(),
            filename=file.filename or "media",
            declared=file.content_type or "application/octet-stream",
            now=state.clock.now(),
        )
    name = "thumb_media_id" if item.type == "thumb" else "media_id"
    return {
        "type": item.type,
        name: item.media_id,
        "created_at": int(item.created_at.timestamp()),
    }


@router.get("/get")
async def get(request: Request, account: CallerDep, state: StateDep) -> Response:
    """Return the file; for a video, only the address from which it can be loaded."""
    media_id = request.query_params.get("media_id")
    item = state.media.take(account.appid, media_id, state.clock.now())
    if item.type == "video":
        address = request.url_for("show_media", media_id=item.media_id)
        return JSONResponse({"video_url": str(address)})
    disposition = f'attachment; filename="{item.media_id[:16]}"'
    return Response(
        item.content,
        media_type=item.content_type,
        headers={"Content-Disposition": disposition},
    )
