"""Reads the media that a rule names: files of the media folder, and URLs."""

import asyncio
import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.outbound import MediaSource, MediaType
from app.wechat_client.errors import MediaUnavailable

# Source: protocol 6.4. It prints two limits for images; this is the smaller one.
MAX_BYTES: dict[MediaType, int] = {
    "image": 2 * 1024 * 1024,
    "voice": 2 * 1024 * 1024,
    "video": 10 * 1024 * 1024,
    "thumb": 64 * 1024,
}
FETCH_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium to upload. filename: its extension tells WeChat the format."""

    filename: str
    content: bytes


async def identify(source: MediaSource, folder: Path) -> str:
    """Return the key of a source; for a file it holds a digest. Raises MediaUnavailable."""
    if source.file is None:
        return f"url:{source.url}"
    content = await asyncio.to_thread(_read, folder, source.file)
    return f"file:{source.file}:{hashlib.sha256(content).hexdigest()}"


async def load(
    source: MediaSource, kind: MediaType, folder: Path, client: httpx.AsyncClient
) -> Medium:
    """Return the bytes of a source.

    Raises MediaUnavailable, or ApiError with action RETRY when another download may succeed.
    """
    if source.file is not None:
        medium = Medium(source.file, await asyncio.to_thread(_read, folder, source.file))
        if len(medium.content) > MAX_BYTES[kind]:
            raise MediaUnavailable(f"{source.file} is larger than {MAX_BYTES[kind]} bytes")
        return medium
    return await _fetch(str(source.url), MAX_BYTES[kind], client)


def _read(folder: Path, name: str) -> bytes:
    # Only a plain name: a rule must not read files outside the folder.
    if Path(name).name != name:
        raise MediaUnavailable(f"{name!r} is not a plain file name")
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise MediaUnavailable(f"can't read {name}: {error.strerror}") from error


async def _fetch(url: str, max_bytes: int, client: httpx.AsyncClient) -> Medium:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise MediaUnavailable("the address must start with http:// or https://")
    try:
        content = await _download(url, max_bytes, client)
    except (httpx.HTTPError, TimeoutError) as error:
        problem = f"can't be fetched: {_describe(error)}"
        if _is_temporary(error):
            raise ApiError(None, problem, Action.RETRY) from error
        raise MediaUnavailable(problem) from error
    return Medium(Path(parts.path).name or "picture", content)


async def _download(url: str, max_bytes: int, client: httpx.AsyncClient) -> bytes:
    content = bytearray()
    # The timeout of httpx limits each read only; a host that sends slowly would take for ever.
    async with (
        asyncio.timeout(FETCH_SECONDS),
        client.stream("GET", url, timeout=FETCH_SECONDS) as response,
    ):
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > max_bytes:
                raise MediaUnavailable(f"larger than {max_bytes} bytes")
    return bytes(content)


def _is_temporary(error: httpx.HTTPError | TimeoutError) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(error, httpx.TransportError | TimeoutError)


def _describe(error: httpx.HTTPError | TimeoutError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return type(error).__name__
