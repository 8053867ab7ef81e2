"""Checks that a picture file is complete, by reading all of its parts. Pure.

A picture that was truncated or damaged on its way into the media folder is reported when the rule
is saved, and not noticed only as a card without a picture. Formats: JPEG (ITU-T T.81), PNG
(RFC 2083), GIF89a.
"""

import zlib
from collections.abc import Callable, Iterator
from struct import error as struct_error
from struct import unpack_from
from typing import Final, Literal

from app.wechat.media_format import ending_of

PictureFormat = Literal["JPEG", "PNG", "GIF"]

MAX_PIXELS: Final = 50_000_000
_AT_ONCE: Final = 1 << 20

_CUT_OFF: Final = "is cut off: save it again"
_DAMAGED: Final = "is damaged: save it again"
_FORMATS: Final[dict[str, PictureFormat]] = {"jpg": "JPEG", "png": "PNG", "gif": "GIF"}
_EMPTY: Final = "holds no picture: save it again"
_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_MARK, _END, _SCAN = 0xFF, 0xD9, 0xDA
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset(range(0xD0, 0xD8)) | {0x01}
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_GIF_HEAD: Final = 13
_EXTENSION, _PICTURE, _TRAILER = 0x21, 0x2C, 0x3B
_COLOURS: Final = 0x80
_INTERLACED_ROOM: Final = 2


class BadPicture(ValueError):
    """The picture can't be shown; str() says what is wrong with it."""


def format_of(content: bytes) -> PictureFormat | None:
    """Return the format of a file by its first bytes; None for any other format."""
    return _FORMATS.get(ending_of(content) or "")


def require_whole(content: bytes, format: PictureFormat) -> None:
    """Read a picture to its end. Raises BadPicture."""
    try:
        _WALKS[format](content)
    except (IndexError, struct_error):
        raise BadPicture(_CUT_OFF) from None
    except zlib.error:
        raise BadPicture(_DAMAGED) from None


def _jpeg(content: bytes) -> None:
    position, seen = 2, False
    while True:
        if content[position] != _MARK:
            raise BadPicture(_DAMAGED)
        while content[position] == _MARK:
            position += 1
        marker = content[position]
        position += 1
        if marker == _END:
            break
        if marker in _ALONE:
            continue
        (length,) = unpack_from(">H", content, position)
        if marker in _FRAMES:
            height, width = unpack_from(">HH", content, position + 3)
            _require_size(width, height)
            seen = True
        position += length
        if marker == _SCAN:
            position = _after_scan(content, position)
    if not seen:
        raise BadPicture(_EMPTY)


def _after_scan(content: bytes, position: int) -> int:
    """Return the position of the marker that follows the compressed pixels of a scan."""
    while True:
        position = content.find(b"\xff", position)
        if position < 0:
            raise BadPicture(_CUT_OFF)
        following = content[position + 1]
        if following and following not in _ALONE:
            return position
        position += 2


def _png(content: bytes) -> None:
    pixels = zlib.decompressobj()
    room = 0  # how many bytes of pixels may still follow
    first = True
    for kind, data in _chunks(content):
        if first != (kind == b"IHDR"):
            raise BadPicture(_DAMAGED)
        if first:
            room = _png_size(data)
            first = False
        elif kind == b"IDAT":
            room -= _pixels(pixels, data, room)
            if room < 0:
                raise BadPicture("holds more pixels than its header says: save it again")
    if not pixels.eof:
        raise BadPicture(_CUT_OFF)


def _pixels(pixels: "zlib._Decompress", data: bytes, most: int) -> int:
    """Return the number of bytes that a chunk decompresses to; once above `most`, stop counting."""
    count = 0
    while data and count <= most:
        count += len(pixels.decompress(data, _AT_ONCE))
        data = pixels.unconsumed_tail
    return count


def _png_size(header: bytes) -> int:
    """Return the greatest number of bytes that the pixels can take, decompressed."""
    width, height, depth, colour = unpack_from(">IIBB", header)
    _require_size(width, height)
    row = 1 + (width * depth * _CHANNELS.get(colour, 4) + 7) // 8
    most: int = _INTERLACED_ROOM * row * height + 16
    return most


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(_PNG_START)
    kind = b""
    while kind != b"IEND":
        length, kind = unpack_from(">I4s", content, position)
        data = content[position + 8 : position + 8 + length]
        (checksum,) = unpack_from(">I", content, position + 8 + length)
        if zlib.crc32(data, zlib.crc32(kind)) != checksum:
            raise BadPicture(_DAMAGED)
        yield kind, data
        position += 12 + length


def _gif(content: bytes) -> None:
    width, height, flags = unpack_from("<HHB", content, 6)
    _require_size(width, height)
    position = _GIF_HEAD + _table_size(flags)
    seen = False
    while content[position] != _TRAILER:
        block = content[position]
        if block == _PICTURE:
            position += 10 + _table_size(content[position + 9]) + 1
            seen = True
        elif block == _EXTENSION:
            position += 2
        else:
            raise BadPicture(_DAMAGED)
        while content[position]:
            position += 1 + content[position]
        position += 1
    if not seen:
        raise BadPicture(_EMPTY)


def _table_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & _COLOURS else 0


def _require_size(width: int, height: int) -> None:
    if not 0 < width * height <= MAX_PIXELS:
        raise BadPicture(
            f"is {width} by {height} pixels by its header, which can't be shown: save it again"
        )


_WALKS: Final[dict[PictureFormat, Callable[[bytes], None]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
}
