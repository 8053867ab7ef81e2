"""The bytes of a picture or sound that a rule names: a file of the operator's, or an address."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from app.access.errors import Unusable
from app.wechat.outbound import MediaSource, MediaType

# Source: protocol 6.4; images are held to the smaller of the two figures it prints.
MOST_BYTES: dict[MediaType, int] = {
    "image": 2 * 1024 * 1024,
    "voice": 2 * 1024 * 1024,
    "video": 10 * 1024 * 1024,
    "thumb": 64 * 1024,
}
FETCH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Medium:
    """What is to be uploaded. filename: its ending tells WeChat the format."""

    filename: str
    content: bytes


async def identify(source: MediaSource, folder: Path) -> str:
    """Return what a source is remembered by: of a file also its content. Raises Unusable."""
    if source.file is None:
        return f"url:{source.url}"
    content = await asyncio.to_thread(_read, folder, source.file)
    return f"file:{source.file}:{hashlib.sha256(content).hexdigest()}"


async def load(
    source: MediaSource, kind: MediaType, folder: Path, client: httpx.AsyncClient
) -> Medium:
    """Return the bytes of a source. Raises Unusable."""
    if source.file is not None:
        medium = Medium(source.file, await asyncio.to_thread(_read, folder, source.file))
        if len(medium.content) > MOST_BYTES[kind]:
            raise Unusable(f"{source.file} is larger than {MOST_BYTES[kind]} bytes")
        return medium
    return await _fetch(str(source.url), MOST_BYTES[kind], client)


def _read(folder: Path, name: str) -> bytes:
    # A plain name: a rule must not reach files outside the folder.
    if Path(name).name != name:
        raise Unusable(f"{name!r} is not a plain file name")
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise Unusable(f"can't read {name}: {error.strerror}") from error


async def _fetch(url: str, most: int, client: httpx.AsyncClient) -> Medium:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise Unusable("the address must start with http:// or https://")
    content = bytearray()
    try:
        async with client.stream("GET", url, timeout=FETCH_SECONDS) as response:
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > most:
                    raise Unusable(f"larger than {most} bytes")
    except httpx.HTTPError as error:
        raise Unusable(f"can't be fetched: {type(error).__name__}") from error
    return Medium(Path(parts.path).name or "picture", bytes(content))
