"""PNG pictures with a name below the code and a logo in its middle."""

import io

import pytest
from PIL import Image, ImageChops

from app.qrcodes.draw import BadLogo, picture
from app.qrcodes.draw_png import decorated_png, read_logo, undrawable

URL = "http://weixin.qq.com/q/02abcdefghijk"


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def logo_of(colour: str, mode: str = "RGB", kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new(mode, (30, 20), colour).save(content, kind)
    return content.getvalue()


def ink(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Return the box of what is not white."""
    return ImageChops.invert(image).getbbox()


@pytest.mark.parametrize("scale", [3, 10, 40])
@pytest.mark.parametrize("name", ["A", "12号桌 Table", "很长的门店名称" * 8, "é — “…”"])
def test_the_name_stands_whole_below_the_code(name: str, scale: int) -> None:
    code, whole = opened(picture(URL, "png", scale)), opened(decorated_png(URL, name, None, scale))

    assert whole.crop((0, 0, *code.size)).tobytes() == code.tobytes()
    box = ink(whole.crop((0, code.height, *whole.size)))
    assert box is not None
    left, top, right, bottom = box
    # Nothing is cut off, and it stands in the middle.
    assert left > 0
    assert top > 0
    assert right < code.width
    assert bottom < whole.height - code.height
    assert abs(left - (code.width - right)) <= max(4, scale)


def test_two_names_look_different_and_a_blank_one_shows_nothing() -> None:
    names = ["甲", "乙", "喆", "a", "b", " ", ""]
    pictures = [decorated_png(URL, name, None) for name in names]
    assert len(set(pictures)) == len(names) - 1
    assert pictures[-1] == pictures[-2]


@pytest.mark.parametrize(
    ("name", "missing"),
    [("12号桌", ""), ("喆堃龑镕", ""), ("臺灣", ""), ("A🍜b🍜𠀀", "🍜𠀀"), ("\u200b\n", "")],
)
def test_it_is_known_which_characters_no_font_has(name: str, missing: str) -> None:
    assert undrawable(name) == missing


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF"])
def test_the_logo_stands_in_the_middle_in_its_own_shape(kind: str) -> None:
    whole = opened(decorated_png(URL, None, read_logo(logo_of("red", kind=kind))))
    middle = whole.width // 2
    side = round(whole.width * 0.2)

    red, *others = whole.crop((middle, middle, middle + 1, middle + 1)).tobytes()
    assert red > 200
    assert max(others) < 60
    # It is 30 by 20, so that white is left above and below it.
    assert whole.getpixel((middle, middle - side // 2 + 1)) == (255, 255, 255)


def test_what_is_transparent_in_a_logo_is_white() -> None:
    whole = opened(decorated_png(URL, None, read_logo(logo_of("#ff000000", "RGBA"))))
    assert whole.getpixel((whole.width // 2, whole.height // 2)) == (255, 255, 255)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", logo_of("red")[:-30]])
def test_a_damaged_logo_is_refused(content: bytes) -> None:
    with pytest.raises(BadLogo, match="save it again"):
        read_logo(content)
