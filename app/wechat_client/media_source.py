"""Reads the media that a rule names: files of the media folder, and URLs."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from app.wechat.outbound import MediaType, MediaUse
from app.wechat_client.convert_picture import MAX_SOURCE_BYTES, converting, picture_use
from app.wechat_client.errors import BadPicture, MediaUnavailable
from app.wechat_client.fetch_media import NOT_FETCHED, MediaFetcher, log_not_fetched
from app.wechat_client.media_folder import UnreadableFile, read_file

# Source: protocol 6.4. Pictures are converted to what WeChat takes.
MAX_BYTES: Final[Mapping[MediaType, int]] = {
    "image": MAX_SOURCE_BYTES,
    "voice": 2 * 1024 * 1024,
    "video": 10 * 1024 * 1024,
    "thumb": MAX_SOURCE_BYTES,
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Medium:
    """What is uploaded. key: of the content that it was made of, whatever its names."""

    key: str
    content: bytes


async def identify(use: MediaUse, folder: Path) -> str:
    """Return the key of a medium; that of a file is the one of its content.

    Raises MediaUnavailable.
    """
    if use.source.file is None:
        return f"{picture_use(use) or use.type}:url:{use.source.url}"
    content = await asyncio.to_thread(read_file, folder, use.source.file, MAX_BYTES[use.type])
    return _content_key(use, content)


async def load(use: MediaUse, folder: Path, fetcher: MediaFetcher) -> Medium:
    """Return what is uploaded for a medium; a picture is converted to what WeChat takes.

    Raises MediaUnavailable, or its subclass MediaNotFetched when another download may succeed.
    """
    most = MAX_BYTES[use.type]
    if use.source.file is not None:
        content = await asyncio.to_thread(read_file, folder, use.source.file, most)
    else:
        content = await fetcher.fetch(str(use.source.url), most)
    key = _content_key(use, content)
    shown_as = picture_use(use)
    if shown_as is None:
        return Medium(key, content)
    try:
        return Medium(key, await asyncio.wrap_future(converting(content, shown_as)))
    except BadPicture as error:
        if use.source.file is not None:
            raise UnreadableFile(use.source.file, str(error)) from None
        # What an address answers is told in the log alone, see `fetch_media`.
        log_not_fetched(str(use.source.url), f"the picture {error}")
        raise MediaUnavailable(NOT_FETCHED) from None


def _content_key(use: MediaUse, content: bytes) -> str:
    # WeChat takes the picture of a card as an image, but a GIF is converted for a card alone.
    is_still = picture_use(use) == "card" and content.startswith(b"GIF8")
    return f"{'card' if is_still else use.type}:file:{hashlib.sha256(content).hexdigest()}"
