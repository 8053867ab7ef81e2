"""How a picture looks, as queries of `/api/qrcodes` ask for it, and how it is drawn."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from app.api_model import ApiModel
from app.qrcodes import draw
from app.qrcodes.draw import DEFAULT_SCALE, MAX_LOGO_BYTES, MAX_SCALE, BadLogo, PictureFormat
from app.rules.definition.fields import storable
from app.wechat_client.errors import MediaUnavailable
from app.wechat_client.media_folder import read_file

_PNG: Final = "needs format=svg: a PNG holds the code alone"


class PictureLook(ApiModel):
    """How pictures look."""

    format: PictureFormat = "png"
    """`svg` can be printed in any size, and alone takes a name and a logo."""
    scale: Annotated[int, Field(ge=1, le=MAX_SCALE)] = DEFAULT_SCALE
    """Pixels of one module of the code; the whole has about 41 of them on each side."""
    with_name: bool = False
    """Whether the name stands below the code: of an SVG, since no font comes with the service."""
    logo: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(storable)] | None = (
        None
    )
    """A picture of the media folder (MEDIA_DIR) that stands in the middle."""


class BadLook(ValueError):
    """Pictures can't look so. field: which member is wrong; the text says how to correct it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Painter:
    """Draws pictures of one look. `painter` makes it."""

    look: PictureLook
    logo: bytes | None

    def draw(self, url: str, name: str) -> bytes:
        """Return the picture of a code. Takes some milliseconds."""
        look = self.look
        if not look.with_name and self.logo is None:
            return draw.picture(url, look.format, look.scale)
        shown = name if look.with_name else None
        return draw.decorated_svg(url, shown, self.logo, look.scale)


async def painter(look: PictureLook, media_folder: Path) -> Painter:
    """Return what draws pictures of this look. Raises BadLook."""
    if look.format != "svg":
        if look.with_name:
            raise BadLook("with_name", f"{_PNG}, since no font comes with the service")
        if look.logo is not None:
            raise BadLook("logo", _PNG)
    if look.logo is None:
        return Painter(look, None)
    try:
        logo = await asyncio.to_thread(read_file, media_folder, look.logo, MAX_LOGO_BYTES)
        draw.check_logo(logo)
    except (MediaUnavailable, BadLogo) as error:
        raise BadLook("logo", str(error)) from None
    return Painter(look, logo)
