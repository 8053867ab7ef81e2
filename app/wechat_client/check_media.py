"""Checks whether a file of the media folder can be uploaded; it is read once until it changes."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from app.wechat.outbound import MediaUse
from app.wechat_client.convert_picture import PictureUse, converting, picture_use
from app.wechat_client.errors import BadPicture
from app.wechat_client.media_folder import UnreadableFile, file_version, read_file
from app.wechat_client.media_source import MAX_BYTES

MAX_REMEMBERED: Final = 10_000


def wrong_with_file(folder: Path, use: MediaUse, name: str) -> str | None:
    """Return why a file can't be uploaded for a use, without its name; None if it can.

    It blocks: a picture is converted as it is before an upload.
    """
    try:
        version = file_version(folder, name)
    except UnreadableFile as error:
        return error.reason
    return _wrong_with(folder, name, MAX_BYTES[use.type], picture_use(use), version)


@lru_cache(MAX_REMEMBERED)
def _wrong_with(
    folder: Path, name: str, max_bytes: int, shown_as: PictureUse | None, _version: tuple[int, ...]
) -> str | None:
    try:
        content = read_file(folder, name, max_bytes)
        if shown_as is not None:
            converting(content, shown_as).result()
    except UnreadableFile as error:
        return error.reason
    except BadPicture as error:
        return str(error)
    return None
