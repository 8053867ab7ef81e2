"""Draws pictures of codes. Pure."""

import base64
import io
from functools import lru_cache
from typing import Final, Literal, TypeAlias
from xml.sax.saxutils import escape

import segno

from app.wechat.media_format import ending_of

PictureFormat: TypeAlias = Literal["png", "svg"]

MEDIA_TYPES: Final[dict[PictureFormat, str]] = {"png": "image/png", "svg": "image/svg+xml"}
MAX_SCALE: Final = 40
DEFAULT_SCALE: Final = 10
MAX_LOGO_BYTES: Final = 262_144
MAX_KEPT: Final = 1024
BORDER: Final = 4
# Of the width of the code. At error correction H three tenths of it may be covered.
LOGO_SHARE: Final = 0.2
NAME_SHARE: Final = 0.09
_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif"}


class BadLogo(ValueError):
    """The logo can't stand in a code. The text says how to correct it."""


@lru_cache(MAX_KEPT)
def plain_picture(url: str, picture_format: PictureFormat) -> bytes:
    """Return the picture of a code alone, as the public URL shows it."""
    return picture(url, picture_format)


def picture(url: str, picture_format: PictureFormat, scale: int = DEFAULT_SCALE) -> bytes:
    """Return the picture of a code. scale: pixels of one module."""
    content = io.BytesIO()
    qr_code(url, has_logo=False).save(
        content, kind=picture_format, scale=scale, border=BORDER, light="#fff"
    )
    return content.getvalue()


def qr_code(url: str, *, has_logo: bool) -> segno.QRCode:
    """Return a code that can be read though a logo covers its middle."""
    return segno.make_qr(url, error="h" if has_logo else "m")


def check_logo(logo: bytes) -> None:
    """Raise BadLogo for what is no picture that an SVG can hold."""
    if ending_of(logo) not in _TYPES:
        raise BadLogo("is neither PNG, JPEG nor GIF: save it as one of them")


def decorated_svg(
    url: str, name: str | None, logo: bytes | None, scale: int = DEFAULT_SCALE
) -> bytes:
    """Return an SVG with a name below the code and a logo, which was checked, in its middle."""
    code = qr_code(url, has_logo=logo is not None)
    width, _ = code.symbol_size(scale=1, border=BORDER)
    below = 0.0 if name is None else width * NAME_SHARE
    size = f'width="{width * scale:g}" height="{(width + below) * scale:g}"'
    path = code.svg_inline(scale=1, border=BORDER, light="#fff", omitsize=True)
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {width + below:g}">',
        f'<rect width="{width}" height="{width + below:g}" fill="#fff"/>',
        f'<svg width="{width}" height="{width}">{path}</svg>',
    ]
    if logo is not None:
        parts.append(_logo(logo, width))
    if name is not None:
        parts.append(_name(name, width, below))
    return "".join([*parts, "</svg>\n"]).encode()


def _logo(logo: bytes, width: float) -> str:
    kind = _TYPES[ending_of(logo) or ""]
    side = width * LOGO_SHARE
    at, pad = (width - side) / 2, side * 0.08
    data = base64.b64encode(logo).decode()
    return (
        f'<rect x="{at - pad:g}" y="{at - pad:g}" width="{side + 2 * pad:g}" '
        f'height="{side + 2 * pad:g}" rx="{pad:g}" fill="#fff"/>'
        f'<image x="{at:g}" y="{at:g}" width="{side:g}" height="{side:g}" '
        f'href="data:{kind};base64,{data}"/>'
    )


def _name(name: str, width: float, below: float) -> str:
    # What can't be shown can't stand in XML either.
    name = "".join(character for character in name if character.isprintable())
    # Characters of Chinese are as wide as they are high; a name that is too long is made smaller.
    em = sum(0.6 if character.isascii() else 1.0 for character in name)
    height = min(below * 0.6, (width - 2) / max(em, 1))
    return (
        f'<text x="{width / 2:g}" y="{width + below * 0.25:g}" text-anchor="middle" '
        f'font-family="sans-serif" font-size="{height:g}" fill="#000">{escape(name)}</text>'
    )
