"""Keeps an uploaded picture in the media folder, under a name that is safe everywhere."""

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from app.wechat.media_format import ending_of
from app.wechat_client.convert_picture import converting
from app.wechat_client.errors import BadPicture

MAX_FILES: Final = 5000
MAX_STEM: Final = 40

_UNSAFE: Final = re.compile(r"[^a-z0-9]+")


def keep_picture(folder: Path, name: str, content: bytes) -> str:
    """Write a picture as WeChat takes it as an image; return its name in the folder.

    name: of the file where it comes from; its letters and digits are kept. The name ends with a
    digest, so that no other file is overwritten, and with the ending that fits the bytes. The same
    picture is kept once. It blocks. Raises BadPicture.
    """
    content = converting(content, "image").result()
    stem = _UNSAFE.sub("-", Path(name).stem.lower()).strip("-")[:MAX_STEM] or "picture"
    kept = f"{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending_of(content)}"
    try:
        _write(folder, kept, content)
    except OSError as error:
        raise BadPicture(
            f"can't be kept in the media folder ({error.strerror}): let the service write into it"
        ) from error
    return kept


def _write(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / name).exists():
        return
    if sum(1 for _ in folder.iterdir()) >= MAX_FILES:
        raise BadPicture(f"can't be kept: the media folder has {MAX_FILES} files; remove some")
    # Under another name until it is whole, since any process may read the folder.
    descriptor, unfinished = tempfile.mkstemp(dir=folder, prefix=".upload-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(unfinished).chmod(0o644)
        Path(unfinished).replace(folder / name)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
