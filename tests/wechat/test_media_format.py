"""An upload has an ASCII name whose ending fits its bytes, whatever its file is called."""

from typing import Final

import pytest

from app.wechat.media_format import MediaKind, upload_name

JPEG: Final = b"\xff\xd8\xff\xe0"
PNG: Final = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("kind", "content", "name"),
    [
        ("image", JPEG, "image.jpg"),
        ("image", PNG, "image.png"),
        ("image", b"GIF89a", "image.gif"),
        ("image", b"GIF87a", "image.gif"),
        ("thumb", JPEG, "thumb.jpg"),
        ("voice", b"#!AMR\n", "voice.amr"),
        ("voice", b"ID3\x03", "voice.mp3"),
        ("voice", b"\xff\xfb\x90", "voice.mp3"),
        ("video", b"\x00\x00\x00\x18ftypmp42", "video.mp4"),
        ("image", b"no picture", "image.jpg"),
        ("voice", b"", "voice.mp3"),
        ("video", b"\x00", "video.mp4"),
        ("thumb", b"\xff", "thumb.jpg"),
    ],
)
def test_the_name_of_an_upload_fits_its_bytes(kind: MediaKind, content: bytes, name: str) -> None:
    assert upload_name(kind, content) == name
