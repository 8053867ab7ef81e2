"""Names a file by its bytes, for an upload to WeChat. Pure.

WeChat judges an upload by the ending of its file name: without one, with another one than the bytes
have, or with a name beyond ASCII it refuses the file (40005, 41005).
"""

from typing import Final, Literal, TypeAlias

MediaKind: TypeAlias = Literal["image", "voice", "video", "thumb"]

_STARTS: Final = (
    (b"\xff\xd8\xff", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"#!AMR", "amr"),
    (b"ID3", "mp3"),
)
# An MP3 file without a tag begins with a frame: 11 bits of synchronisation, MPEG 1, 2 or 2.5,
# layer III.
_MP3_FRAMES: Final = frozenset({0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2})
_FRAME_START: Final = 0xFF
# Unknown bytes are left to WeChat, which says what it does not like.
_USUAL: Final[dict[MediaKind, str]] = {
    "image": "jpg",
    "voice": "mp3",
    "video": "mp4",
    "thumb": "jpg",
}


def upload_name(kind: MediaKind, content: bytes) -> str:
    """Return an ASCII file name with the ending that fits the bytes. Source: protocol 6.4."""
    return f"{kind}.{ending_of(content) or _USUAL[kind]}"


def ending_of(content: bytes) -> str | None:
    """Return `jpg`, `png`, `gif`, `amr`, `mp3` or `mp4`; None for any other format."""
    for start, ending in _STARTS:
        if content.startswith(start):
            return ending
    if content[4:8] == b"ftyp":
        return "mp4"
    if len(content) > 1 and content[0] == _FRAME_START and content[1] in _MP3_FRAMES:
        return "mp3"
    return None
