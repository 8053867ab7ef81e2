"""Whatever picture an operator has, WeChat gets one that it takes, or the operator a reason."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.wechat_client.convert_picture import MAX_SOURCE_BYTES, PictureUse, convert
from app.wechat_client.errors import BadPicture
from app.wechat_client.jpeg_scan import colours_of_first_scan
from simulator.media import content_type_of
from tests.rules.makers import JPEG, PNG

ORIENTATION = 0x0112
CALLER = Image.Exif()
CALLER[ORIENTATION] = 6  # the camera was turned to the right
WHITE, RED = (255, 255, 255), (255, 0, 0)


def written(image: Image.Image, format: str, **options: object) -> bytes:
    content = BytesIO()
    image.save(content, format, **options)
    return content.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture that can hardly be compressed."""
    return Image.effect_noise((width, height), 100).convert(mode)


def animated(format: str) -> bytes:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "green", "blue")]
    return written(frames[0], format, save_all=True, append_images=frames[1:])


def two_in_one() -> bytes:
    """A JPEG as many telephones write it: with a second picture, which nobody is shown."""
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "green")]
    return written(frames[0], "MPO", save_all=True, append_images=frames[1:])


HALF = Image.new("RGBA", (30, 20), (*RED, 0))
OPAQUE = written(Image.new("RGBA", (30, 20), (*RED, 255)), "PNG")
GIF = written(noise(30, 20), "GIF")

AS_IT_IS: list[tuple[PictureUse, bytes]] = [
    ("image", JPEG),
    ("image", PNG),
    ("image", GIF),
    ("image", animated("GIF")),
    ("image", two_in_one()),
    ("card", JPEG),
    ("card", PNG),
    ("card", OPAQUE),
    ("thumb", JPEG),
    ("card", JPEG + b"behind its end"),
    ("card", written(noise(60, 40), "JPEG", progressive=True)),
]
CONVERTED: dict[str, bytes] = {
    "WebP": written(noise(60, 40), "WEBP"),
    "animated WebP": animated("WEBP"),
    "BMP": written(noise(60, 40), "BMP"),
    "transparent": written(HALF, "PNG"),
    "transparent colour": written(HALF.quantize(), "PNG"),
    "transparent WebP": written(HALF, "WEBP"),
    "animated PNG": animated("PNG"),
    "animated GIF": animated("GIF"),
    "CMYK": written(noise(60, 40, "CMYK"), "JPEG"),
    "turned": written(noise(60, 40), "JPEG", exif=CALLER),
    "too large": written(noise(1500, 1000), "PNG"),
    "large and grey": written(noise(2000, 1500, "L"), "JPEG", quality=100),
    "long": written(Image.new("RGB", (1, 60_000)), "BMP"),
}


@pytest.mark.parametrize(("use", "content"), AS_IT_IS)
def test_what_wechat_takes_stays_as_it_is(use: PictureUse, content: bytes) -> None:
    assert convert(content, use) == content


@pytest.mark.parametrize("use", ["card", "thumb"])
@pytest.mark.parametrize("content", CONVERTED.values(), ids=CONVERTED.keys())
def test_anything_else_becomes_a_jpeg_that_wechat_takes(use: PictureUse, content: bytes) -> None:
    found = convert(content, use)

    assert (opened(found).format, opened(found).mode) == ("JPEG", "RGB")
    assert len(found) <= (64 * 1024 if use == "thumb" else 2 * 1024 * 1024)
    as_type = "thumb" if use == "thumb" else "image"
    assert content_type_of(as_type, found, f"{as_type}.jpg", "") == "image/jpeg"
    assert convert(found, use) == found


@pytest.mark.parametrize("name", ["transparent", "transparent colour", "transparent WebP"])
def test_what_is_transparent_becomes_white(name: str) -> None:
    assert opened(convert(CONVERTED[name], "card")).getpixel((5, 5)) == WHITE


@pytest.mark.parametrize(
    "content",
    [
        written(Image.new("RGB", (60, 40)), "JPEG", exif=CALLER),
        written(Image.new("RGB", (60, 40)), "PNG", exif=CALLER),
        written(Image.new("RGB", (6000, 4000)), "JPEG", exif=CALLER),
    ],
)
def test_a_picture_is_turned_as_the_camera_was(content: bytes) -> None:
    width, height = opened(convert(content, "card")).size

    assert (width < height, height <= 1920) == (True, True)
    assert convert(convert(content, "card"), "card") == convert(content, "card")


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_the_first_picture_of_an_animation_is_shown(format: str) -> None:
    red, green, blue = opened(convert(animated(format), "card")).getpixel((5, 5))  # type: ignore[misc]

    assert (red > 200, green < 60, blue < 60) == (True, True, True)


def test_sixteen_bits_are_not_cut_off() -> None:
    grey = written(Image.new("I;16", (30, 20), 0x8000), "PNG")

    assert opened(convert(grey, "thumb")).getpixel((5, 5)) == (128, 128, 128)


WHOLE = [
    written(noise(60, 40), format, **options)
    for format, options in (
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("GIF", {}),
        ("WEBP", {}),
        ("BMP", {}),
    )
]
# What follows the pixels: the empty last chunk of a PNG, the end marks of a GIF.
BEHIND_THE_PIXELS = 12


@pytest.mark.parametrize("content", WHOLE)
def test_every_beginning_of_a_picture_is_cut_off(content: bytes) -> None:
    ends = range(6, len(content) - BEHIND_THE_PIXELS, max(1, len(content) // 100))
    for end in ends:
        with pytest.raises(BadPicture, match=r"save it again|save the picture"):
            convert(content[:end], "image")


@pytest.mark.parametrize("byte", range(16, len(PNG) - 12))
def test_a_damaged_png_is_told(byte: int) -> None:
    with pytest.raises(BadPicture):
        convert(PNG[:byte] + bytes([PNG[byte] ^ 1]) + PNG[byte + 1 :], "image")


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"<svg/>", b"II*\x00", b"\x00\x00\x00 ftypheic", b"%!PS-Adobe"]
)
def test_what_is_no_picture_is_told(content: bytes) -> None:
    with pytest.raises(BadPicture, match="is not a JPEG, PNG, GIF, WebP or BMP file"):
        convert(content, "image")


def test_a_file_may_have_so_many_bytes() -> None:
    padding = bytes(MAX_SOURCE_BYTES - len(JPEG))

    assert len(convert(JPEG + padding, "card")) < 2 * 1024 * 1024
    with pytest.raises(BadPicture, match="make it smaller"):
        convert(JPEG + padding + b"x", "card")


@given(st.sampled_from([*WHOLE, *CONVERTED.values()][:12]), st.data())
def test_nothing_but_a_bad_picture_comes_of_any_bytes(content: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(content)))
    with suppress(BadPicture):
        convert(content[:start] + data.draw(st.binary(max_size=60)), "card")


MEASURE = """
import sys
import app.worker
from app.wechat_client.convert_picture import converting
from app.wechat_client.errors import BadPicture

def megabytes(name):
    with open("/proc/self/status") as file:
        (found,) = (line.split()[1] for line in file if line.startswith(name))
    return int(found) // 1024

before = megabytes("VmRSS:")
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        content = file.read()
    try:
        print("taken", len(converting(content, "card").result()))
    except BadPicture as error:
        print(error)
print(megabytes("VmRSS:") - before)
print(megabytes("VmHWM:"))
"""


def of_size(mode: str, side: int, format: str, **options: object) -> Callable[[], bytes]:
    return lambda: written(Image.new(mode, (side, side), 1), format, **options)


def in_scans(side: int, colours: int) -> bytes:
    """Return a grey JPEG that is not progressive, and has a scan for each colour."""
    numbers = range(1, colours + 1)
    frame = b"".join(bytes([number, 0x11, 0]) for number in numbers)
    # Both tables have one code of one bit: for no difference, and for the end of a block.
    code = bytes([1, *bytes(15), 0])
    blocks = bytes((-(-side // 8)) ** 2 * 2 // 8 + 1)
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xDB, bytes([0]) + b"\x01" * 64),
            segment(0xC0, bytes([8, *side.to_bytes(2), *side.to_bytes(2), colours]) + frame),
            segment(0xC4, b"\x00" + code),
            segment(0xC4, b"\x10" + code),
            *(segment(0xDA, bytes([1, number, 0, 0, 63, 0])) + blocks for number in numbers),
            b"\xff\xd9",
        ]
    )


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker, *(len(content) + 2).to_bytes(2)]) + content


TAKEN = {
    "jpeg": of_size("L", 7000, "JPEG"),
    "progressive": of_size("RGB", 4990, "JPEG", progressive=True, subsampling=0),
    "four colours": of_size("CMYK", 4320, "JPEG", progressive=True),
    "scans": lambda: in_scans(4990, 3),
    "png": of_size("RGBA", 4460, "PNG", compress_level=1),
    "webp": of_size("RGBA", 3150, "WEBP", lossless=True, method=0),
}
REFUSED = {
    "progressive": of_size("L", 5010, "JPEG", progressive=True),
    "four colours": of_size("CMYK", 4340, "JPEG", progressive=True),
    "scans": lambda: in_scans(5010, 3),
    "scans of four colours": lambda: in_scans(4340, 4),
    "png": of_size("1", 20_000, "PNG"),
    "webp": of_size("RGBA", 3200, "WEBP", lossless=True, method=0),
    "gif": of_size("P", 4480, "GIF"),
}


def test_no_picture_takes_much_memory(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few kilobytes may hold many millions of pixels. Measured in a process like a worker."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    folder = tmp_path_factory.mktemp("pictures")
    names = []
    for kind, made in (("taken", TAKEN), ("refused", REFUSED)):
        for name, make in made.items():
            names.append(str(folder / f"{kind}-{name}"))
            (folder / f"{kind}-{name}").write_bytes(make())

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *names], capture_output=True, text=True, check=True
    )

    *lines, kept, megabytes = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["taken"] * len(TAKEN) + ["has"] * len(REFUSED)
    assert int(kept) < 40
    assert int(megabytes) < 350


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xda\x00", b"\xff" * 9])
def test_a_jpeg_without_a_scan_has_no_colours_in_it(content: bytes) -> None:
    assert colours_of_first_scan(content) == 0


@given(st.binary())
def test_the_first_scan_is_looked_for_in_any_bytes(content: bytes) -> None:
    assert 0 <= colours_of_first_scan(b"\xff\xd8" + content) <= 255
