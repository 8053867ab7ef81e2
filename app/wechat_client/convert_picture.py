"""Turns a picture into one that WeChat takes. Source: protocol 6.4.

WeChat takes JPEG, PNG and GIF up to a size, and shows them as they are: it turns nothing by its
EXIF orientation and has no white behind what is transparent. What it takes and shows well is
uploaded byte for byte; anything else becomes a JPEG.

The memory of a process is bounded: pictures of too many pixels are refused by their header, a JPEG
is decoded at a fraction of its size where that is enough, and one picture is converted at a time.
"""

import ctypes
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal, TypeAlias

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from app.wechat.outbound import MediaUse
from app.wechat_client.errors import BadPicture
from app.wechat_client.jpeg_scan import colours_of_first_scan

PictureUse: TypeAlias = Literal["image", "card", "thumb"]

# WeChat documents no larger picture anywhere.
MAX_SOURCE_BYTES: Final = 10 * 1024 * 1024
MAX_JPEG_PIXELS: Final = 50_000_000
# These take up to 7, 17 and 9 bytes of memory for each pixel, and never more than 180 MB. The first
# is of JPEGs in several scans, progressive ones among them: all of it is in memory before any of it
# is decoded, two bytes for each pixel and colour. It holds for up to three colours.
MAX_PROGRESSIVE_PIXELS: Final = 25_000_000
MAX_WEBP_PIXELS: Final = 10_000_000
MAX_OTHER_PIXELS: Final = 20_000_000

_FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP")
# Longest edge and quality of a converted picture; the first that is small enough is taken.
_EDGES: Final = (1920, 1280, 960, 640, 480, 320, 160)
_QUALITIES: Final = (90, 75, 60)
_UPRIGHT: Final = 1
_OPAQUE: Final = 255
_COLOURS: Final = 3
_WIDE: Final = "I;16"

_BROKEN: Final = "is cut off or damaged: save it again"
_UNKNOWN: Final = (
    "is not a JPEG, PNG, GIF, WebP or BMP file: save the picture in one of these formats"
)

# Pillow checks the size in the header before it allocates anything.
Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)

# Of glibc; others give memory back without it.
_trim: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)
_one_at_a_time = ThreadPoolExecutor(1, "picture")


@dataclass(frozen=True, slots=True)
class _Taken:
    """What WeChat takes and shows. formats: as they are, without a change. max_bytes: of a file."""

    formats: frozenset[str]
    max_bytes: int


# The protocol prints two limits for images; this is the smaller one. A JPEG that holds further
# pictures (MPO) is one all the same. A card shows nothing that moves.
_TAKEN: Final[dict[PictureUse, _Taken]] = {
    "image": _Taken(frozenset({"JPEG", "MPO", "PNG", "GIF"}), 2 * 1024 * 1024),
    "card": _Taken(frozenset({"JPEG", "MPO", "PNG"}), 2 * 1024 * 1024),
    "thumb": _Taken(frozenset({"JPEG", "MPO"}), 64 * 1024),
}


def picture_use(use: MediaUse) -> PictureUse | None:
    """Return how a medium is shown as a picture; None for a sound or a video."""
    if use.type == "image":
        return "card" if use.member == "thumb_media_id" else "image"
    return "thumb" if use.type == "thumb" else None


def converting(content: bytes, use: PictureUse) -> "Future[bytes]":
    """Convert a picture in a thread, after those that wait already. See `convert`."""
    return _one_at_a_time.submit(_convert_and_release, content, use)


def _convert_and_release(content: bytes, use: PictureUse) -> bytes:
    try:
        return convert(content, use)
    finally:
        # The C library would keep what it was given back, a hundred megabytes for ever.
        if _trim is not None:
            _trim(0)


def convert(content: bytes, use: PictureUse) -> bytes:
    """Return a picture as WeChat takes it: the content itself if it does, else a JPEG.

    The first picture of an animation is taken, except for an `image` that is a GIF. Raises
    BadPicture. It blocks and takes memory: `converting` calls it.
    """
    try:
        return _convert(content, use)
    except UnidentifiedImageError:
        raise BadPicture(_BROKEN if _begins_as_picture(content) else _UNKNOWN) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadPicture(_too_many(MAX_JPEG_PIXELS)) from None
    except BadPicture:
        raise
    except Exception:  # noqa: BLE001 - decoders raise anything for a damaged file
        raise BadPicture(_BROKEN) from None


def _convert(content: bytes, use: PictureUse) -> bytes:
    if len(content) > MAX_SOURCE_BYTES:
        size = len(content)
        raise BadPicture(
            f"has {size} bytes, and at most {MAX_SOURCE_BYTES} are taken: make it smaller"
        )
    taken = _TAKEN[use]
    with Image.open(BytesIO(content), formats=_FORMATS) as image:
        _require_pixels(content, image)
        _require_whole(content, image)
        # Only a JPEG can be decoded at a fraction of its size.
        image.draft(None, (_EDGES[0], _EDGES[0]))
        image.load()
        if len(content) <= taken.max_bytes and image.format in taken.formats and _is_shown(image):
            return content
        drawn = _draw(image)
    return _encode(drawn, taken.max_bytes)


def _require_pixels(content: bytes, image: Image.Image) -> None:
    most = MAX_OTHER_PIXELS
    if isinstance(image, JpegImageFile):
        most = MAX_JPEG_PIXELS
        if "progressive" in image.info or colours_of_first_scan(content) < image.layers:
            most = MAX_PROGRESSIVE_PIXELS * _COLOURS // max(_COLOURS, image.layers)
    elif image.format == "WEBP":
        most = MAX_WEBP_PIXELS
    if image.width * image.height > most:
        raise BadPicture(_too_many(most))


def _require_whole(content: bytes, image: Image.Image) -> None:
    # Decoding does not look at the checksums of a PNG.
    if image.format == "PNG":
        with Image.open(BytesIO(content), formats=("PNG",)) as checked:
            checked.verify()


def _is_shown(image: Image.Image) -> bool:
    """Return whether WeChat shows a picture of a format that it takes as it is meant."""
    if image.format == "GIF":
        return True
    if image.format == "PNG" and getattr(image, "is_animated", False):
        return False
    return image.mode != "CMYK" and _orientation(image) == _UPRIGHT and not _is_transparent(image)


def _is_transparent(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    # A conversion to the same mode would be a copy of every pixel.
    pixels = image if image.mode == "RGBA" else image.convert("RGBA")
    return pixels.getchannel("A").getextrema()[0] != _OPAQUE


def _orientation(image: Image.Image) -> int:
    return int(image.getexif().get(ExifTags.Base.Orientation, _UPRIGHT) or _UPRIGHT)


def _draw(image: Image.Image) -> Image.Image:
    """Return a picture upright on white, in RGB and no larger than WeChat can use."""
    if image.mode.startswith(_WIDE):
        # Its values have 16 bits, and a conversion would cut them off.
        image = image.point(lambda value: value / 256).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    factor = max(image.size) // _EDGES[0]
    if factor > 1:
        image = image.reduce(factor)
    image = ImageOps.exif_transpose(image)
    if image.mode == "RGB":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _encode(image: Image.Image, max_bytes: int) -> bytes:
    for edge in _EDGES:
        image.thumbnail((edge, edge))
        for quality in _QUALITIES:
            written = BytesIO()
            image.save(written, "JPEG", quality=quality)
            if written.tell() <= max_bytes:
                return written.getvalue()
    raise BadPicture("can't be made small enough: make it smaller")


def _begins_as_picture(content: bytes) -> bool:
    return content.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF"))


def _too_many(most: int) -> str:
    return f"has more than {most} pixels: make it smaller"
