"""The ZIP of a list, from the rows of its codes."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from app.qrcodes.life import state_of
from app.qrcodes.models import QrCode
from app.qrcodes.picture_look import Painter
from app.qrcodes.schemas import picture_url
from app.qrcodes.zip_pictures import PictureFile, zip_pictures


def pictures_of(
    codes: Sequence[QrCode], painter: Painter, base_url: str, now: datetime
) -> AsyncIterator[bytes]:
    """Yield the ZIP. base_url: of the public pictures."""
    files = [
        PictureFile(
            number=code.number or 0,
            name=code.name,
            scene=code.scene,
            url=code.url,
            picture_url=picture_url(base_url, code.slug),
            state=state_of(code, now).value,
        )
        for code in codes
    ]
    return zip_pictures(files, painter)
