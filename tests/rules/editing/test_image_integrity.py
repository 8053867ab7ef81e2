"""Complete pictures are accepted, truncated and damaged ones are refused."""

import struct
import zlib
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.editing.image_integrity import BadPicture, PictureFormat, format_of, require_whole
from tests.rules.makers import JPEG, PNG, as_posted

GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    b"\x21\xf9\x04\x00\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b"
)
# A frame of a progressive picture takes several scans, and 0xFF stands before 0 inside of one.
SCANS = JPEG.replace(b"\x3f\xff\xd9", b"\xff\x00\x3f\xff\xd0\x3f") + JPEG[JPEG.index(b"\xff\xda") :]
PICTURES: list[tuple[PictureFormat, bytes]] = [
    ("PNG", PNG),
    ("JPEG", JPEG),
    ("JPEG", SCANS),
    ("GIF", GIF),
    ("PNG", Path("simulator/playground/shop.png").read_bytes()),
]


def png(width: int, height: int, pixels: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return PNG[:8] + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize(("format", "content"), PICTURES)
def test_a_whole_picture_is_taken_and_every_beginning_of_one_is_cut_off(
    format: PictureFormat, content: bytes
) -> None:
    assert format_of(content) == format
    require_whole(content, format)
    require_whole(content + b"behind its end", format)
    for end in range(6, len(content), max(1, len(content) // 300)):
        with pytest.raises(BadPicture, match="save it again"):
            require_whole(content[:end], format)


@pytest.mark.parametrize("byte", range(16, len(PNG) - 12))
def test_a_damaged_png_is_told(byte: int) -> None:
    with pytest.raises(BadPicture):
        require_whole(PNG[:byte] + bytes([PNG[byte] ^ 1]) + PNG[byte + 1 :], "PNG")


@pytest.mark.parametrize(
    "content",
    [png(0, 1, b"\0\0"), png(2**31, 2**31, b"\0\0"), png(1, 1, bytes(3_000_000))],
)
def test_a_picture_of_no_size_or_of_another_than_it_says_is_refused(content: bytes) -> None:
    with pytest.raises(BadPicture):
        require_whole(content, "PNG")


@given(st.sampled_from(PICTURES[:4]), st.data())
def test_nothing_but_a_bad_picture_comes_of_any_bytes(
    picture: tuple[PictureFormat, bytes], data: st.DataObject
) -> None:
    format, content = picture
    start = data.draw(st.integers(0, len(content)))
    with suppress(BadPicture):
        require_whole(content[:start] + data.draw(st.binary(max_size=60)), format)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PNG[:-20], "is cut off"),
        (PNG.replace(b"\x08", b"\x09", 1), "is damaged"),
        (b"BM a bitmap", "is not a JPEG or PNG or GIF file"),
        (bytes(2 * 1024 * 1024 + 1), "has 2097153 bytes"),
    ],
)
async def test_a_card_whose_picture_can_not_be_shown_is_refused(
    client: httpx.AsyncClient, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "media" / "shop.png").write_bytes(content)

    answer = await client.post("/api/rules", json=as_posted())

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", "replies", 0, "thumb", "file"]
    assert words in problem["msg"]
