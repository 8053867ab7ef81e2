"""The pictures of many codes as one ZIP, drawn while it is sent, so that memory holds a few."""

import asyncio
import zipfile
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.csv_rows import BYTE_ORDER_MARK, csv_rows
from app.qrcodes.picture_look import Painter

MANIFEST: Final = "codes.csv"
HEADER: Final = ("file", "name", "scene", "picture_url", "state")
# Drawn in one thread at a time; between two the event loop goes on.
_AT_ONCE: Final = 10


@dataclass(frozen=True, slots=True)
class PictureFile:
    """One code of the ZIP. url: None if WeChat has not made it: it stands in the list alone."""

    number: int
    name: str
    scene: str
    url: str | None
    picture_url: str
    state: str

    def file_name(self, ending: str) -> str:
        """Return the name of its file."""
        return f"{self.number:04}-{self.scene}.{ending}"


class _Chunks:
    """Takes what a ZIP file writes, and gives it back in chunks."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: `take` has all that was written."""

    def take(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


async def zip_pictures(files: Sequence[PictureFile], painter: Painter) -> AsyncIterator[bytes]:
    """Yield the ZIP: a list of all codes as CSV, and a picture of each that WeChat has made."""
    chunks = _Chunks()
    with zipfile.ZipFile(chunks, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # write and flush are all it needs
        archive.writestr(MANIFEST, _manifest(files, painter.look.format))
        drawn = [file for file in files if file.url is not None]
        for start in range(0, len(drawn), _AT_ONCE):
            await asyncio.to_thread(_add, archive, drawn[start : start + _AT_ONCE], painter)
            yield chunks.take()
    yield chunks.take()


def _add(archive: zipfile.ZipFile, files: Iterable[PictureFile], painter: Painter) -> None:
    for file in files:
        if file.url is not None:
            content = painter.draw(file.url, file.name)
            archive.writestr(file.file_name(painter.look.format), content)


def _manifest(files: Iterable[PictureFile], ending: str) -> str:
    rows = (
        (
            "" if file.url is None else file.file_name(ending),
            file.name,
            file.scene,
            file.picture_url,
            file.state,
        )
        for file in files
    )
    return BYTE_ORDER_MARK + csv_rows([HEADER]) + csv_rows(rows)
