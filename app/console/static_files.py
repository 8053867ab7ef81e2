"""The files that browsers load: read once, served from memory under a path with their hash.

The hash is that of all files together, so that the ES modules can name each other by relative
paths. Pages are not compressed here, these files are: a page holds secrets beside texts that
strangers chose, and the size of the compressed page would tell something of the secret (BREACH).
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

FOLDER: Final = Path(__file__).with_name("static")
MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
}
IMMUTABLE: Final = "public, max-age=31536000, immutable"
DIGEST_CHARACTERS: Final = 16

router = APIRouter(prefix="/static")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file. compressed: the content as gzip."""

    content: bytes
    compressed: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """All files by their path below the folder. digest: of all of them."""

    files: Mapping[str, StaticFile]
    digest: str


@cache
def static_files() -> StaticFiles:
    """Read and compress every file."""
    files: dict[str, StaticFile] = {}
    digest = hashlib.sha256()
    for path in sorted(FOLDER.rglob("*")):
        if not path.is_file() or path.suffix not in MEDIA_TYPES:
            continue
        name, content = path.relative_to(FOLDER).as_posix(), path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
        compressed = gzip.compress(content, mtime=0)
        files[name] = StaticFile(content, compressed, MEDIA_TYPES[path.suffix])
    return StaticFiles(files, digest.hexdigest()[:DIGEST_CHARACTERS])


def static_path(name: str) -> str:
    """Return the path of a file below the console. Raises KeyError if there is no such file."""
    found = static_files()
    _ = found.files[name]
    return f"/static/{found.digest}/{name}"


@router.get("/{digest}/{name:path}")
async def send(request: Request, digest: str, name: str) -> Response:
    """Send a file. A page of another release, during an upgrade, gets the file of this one."""
    found = static_files()
    file = found.files.get(name)
    if file is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": IMMUTABLE if digest == found.digest else "no-store",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.compressed, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
