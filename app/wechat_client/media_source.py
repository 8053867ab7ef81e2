"""Reads the media that a rule names: files of the media folder, and URLs."""

import asyncio
import hashlib
from pathlib import Path

from app.wechat.outbound import MediaSource, MediaType
from app.wechat_client.fetch_media import MediaFetcher
from app.wechat_client.media_folder import read_file

# Source: protocol 6.4. It prints two limits for images; this is the smaller one.
MAX_BYTES: dict[MediaType, int] = {
    "image": 2 * 1024 * 1024,
    "voice": 2 * 1024 * 1024,
    "video": 10 * 1024 * 1024,
    "thumb": 64 * 1024,
}


async def identify(source: MediaSource, kind: MediaType, folder: Path) -> str:
    """Return the key of a source; that of a file is its digest, whatever its name.

    Raises MediaUnavailable.
    """
    if source.file is None:
        return f"url:{source.url}"
    content = await asyncio.to_thread(read_file, folder, source.file, MAX_BYTES[kind])
    return f"file:{hashlib.sha256(content).hexdigest()}"


async def load(source: MediaSource, kind: MediaType, folder: Path, fetcher: MediaFetcher) -> bytes:
    """Return the bytes of a source.

    Raises MediaUnavailable, or its subclass MediaNotFetched when another download may succeed.
    """
    if source.file is not None:
        return await asyncio.to_thread(read_file, folder, source.file, MAX_BYTES[kind])
    return await fetcher.fetch(str(source.url), MAX_BYTES[kind])
