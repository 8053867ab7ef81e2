"""Takes pictures into the media folder, and shows those that are in it."""

import asyncio
import os
from pathlib import Path
from typing import Final

from fastapi import Request, Response

from app.console.errors import NotFound
from app.console.rules.draft import Upload
from app.console.rules.router import router
from app.console.signed_in import Viewer
from app.rules.editing.picture_store import keep_picture
from app.wechat.media_format import ending_of
from app.wechat_client.media_folder import UnreadableFile, read_file
from app.wechat_client.media_source import MAX_BYTES

MAX_LISTED: Final = 300
MEDIA_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}
ENDINGS: Final = frozenset({".jpg", ".jpeg", ".png", ".gif"})


@router.get("/pictures/{name}")
async def show_picture(request: Request, _visitor: Viewer, name: str) -> Response:
    """Send a picture of the media folder; anything else in it is not shown."""
    folder = request.app.state.settings.media_path
    try:
        content = await asyncio.to_thread(read_file, folder, name, MAX_BYTES["image"])
    except (UnreadableFile, ValueError):
        raise NotFound from None
    media_type = MEDIA_TYPES.get(ending_of(content) or "")
    if media_type is None:
        raise NotFound
    return Response(content, media_type=media_type)


async def upload(folder: Path, file: Upload) -> str:
    """Keep an uploaded picture; return its name. Raises BadPicture."""
    return await asyncio.to_thread(keep_picture, folder, file.name, file.content)


def pictures_in(folder: Path) -> list[str]:
    """Return the names of the pictures in the media folder, up to MAX_LISTED, the newest first."""
    try:
        with os.scandir(folder) as entries:
            found = [
                (entry.stat(follow_symlinks=False).st_mtime, entry.name)
                for entry in entries
                if entry.is_file(follow_symlinks=False)
                and Path(entry.name).suffix.lower() in ENDINGS
            ]
    except OSError:
        return []
    return [name for _, name in sorted(found, reverse=True)[:MAX_LISTED]]
