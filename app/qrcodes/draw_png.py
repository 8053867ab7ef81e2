"""Draws PNG pictures of codes with a name below and a logo in the middle. Blocks.

Letters and signs are drawn with DejaVu Sans, and what it lacks, such as Chinese, with Droid Sans
Fallback. Both are files of this package.
"""

import io
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont, ImageOps
from PIL.ImageFont import FreeTypeFont

from app.qrcodes.draw import BORDER, DEFAULT_SCALE, LOGO_SHARE, NAME_SHARE, BadLogo, qr_code

MAX_LOGO_PIXELS: Final = 4_000_000
_FOLDER: Final = Path(__file__).with_name("fonts")
_FONTS: Final = ("DejaVuSans.ttf", "DroidSansFallbackFull.ttf")
_FORMATS: Final = ("PNG", "JPEG", "GIF")
# Of the room below the code: how high letters are, and where their base line is.
_LETTERS: Final = 0.6
_BASE_LINE: Final = 0.62
# Smaller letters could not be read.
_MIN_ROOM: Final = 20
# For private use: a font shows for it what it shows for every character that it lacks.
_NO_CHARACTER: Final = "\U000f1234"
_PROBE_SIZE: Final = 24


def undrawable(name: str) -> str:
    """Return the characters of a name that no font here has, such as emojis."""
    return "".join(
        dict.fromkeys(c for c in _shown(name) if not c.isspace() and _place_of(c) is None)
    )


def read_logo(content: bytes) -> Image.Image:
    """Return a logo as it stands in a picture. Raises BadLogo."""
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            if image.width * image.height > MAX_LOGO_PIXELS:
                raise BadLogo(f"has more than {MAX_LOGO_PIXELS:,} pixels: make it smaller")
            return ImageOps.exif_transpose(image).convert("RGBA")
    except BadLogo:
        raise
    except Exception:  # noqa: BLE001 - decoders raise anything for a damaged file
        raise BadLogo("is cut off or damaged: save it again") from None


def decorated_png(
    url: str, name: str | None, logo: Image.Image | None, scale: int = DEFAULT_SCALE
) -> bytes:
    """Return a PNG with a name, which `undrawable` finds nothing in, and a logo."""
    code = _code(url, scale, has_logo=logo is not None)
    width = code.width
    below = 0 if name is None else max(round(width * NAME_SHARE), _MIN_ROOM)
    picture = Image.new("L" if logo is None else "RGB", (width, width + below), "white")
    picture.paste(code)
    if logo is not None:
        _add_logo(picture, logo)
    if name is not None:
        _add_name(picture, _shown(name), below, scale)
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def _code(url: str, scale: int, *, has_logo: bool) -> Image.Image:
    content = io.BytesIO()
    qr_code(url, has_logo=has_logo).save(
        content, kind="png", scale=scale, border=BORDER, light="#fff"
    )
    return Image.open(content).convert("L")


def _add_logo(picture: Image.Image, logo: Image.Image) -> None:
    width = picture.width
    side = round(width * LOGO_SHARE)
    at, pad = (width - side) // 2, round(side * 0.08)
    frame = (at - pad, at - pad, at + side + pad, at + side + pad)
    ImageDraw.Draw(picture).rounded_rectangle(frame, pad, fill="white")
    shown = ImageOps.contain(logo, (side, side), Image.Resampling.LANCZOS)
    place = (at + (side - shown.width) // 2, at + (side - shown.height) // 2)
    picture.paste(shown, place, shown)


def _add_name(picture: Image.Image, name: str, below: int, scale: int) -> None:
    width = picture.width
    size = max(round(below * _LETTERS), 1)
    length = _length(name, size)
    # A name that is too long is made smaller.
    size = max(int(size * min(1.0, (width - 2 * scale) / max(length, 1.0))), 1)
    x = (width - _length(name, size)) / 2
    drawing = ImageDraw.Draw(picture)
    for font, part in _parts(name, size):
        drawing.text((x, width + below * _BASE_LINE), part, "black", font, anchor="ls")
        x += font.getlength(part)


def _length(name: str, size: int) -> float:
    return sum(font.getlength(part) for font, part in _parts(name, size))


def _parts(name: str, size: int) -> Iterator[tuple[FreeTypeFont, str]]:
    """Yield the parts of a name, each with the font that has its characters."""
    for place, characters in groupby(name, lambda character: _place_of(character) or 0):
        yield _fonts(size)[place], "".join(characters)


def _shown(name: str) -> str:
    return "".join(character for character in name if character.isprintable())


@lru_cache(4096)
def _place_of(character: str) -> int | None:
    """Return which font has a character; None: none has."""
    for place, font in enumerate(_fonts(_PROBE_SIZE)):
        mask = font.getmask(character)
        missing = font.getmask(_NO_CHARACTER)
        if mask.getbbox() and bytes(mask) != bytes(missing):
            return place
    return None


@lru_cache(16)
def _fonts(size: int) -> list[FreeTypeFont]:
    # One character stands after the other, so that every one can be measured by itself.
    layout = ImageFont.Layout.BASIC
    return [ImageFont.truetype(_FOLDER / name, size, layout_engine=layout) for name in _FONTS]
