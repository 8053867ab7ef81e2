"""Scenes of QR codes: what WeChat names in the event of a scan. Pure. Source: protocol 9.5."""

import re
import secrets
from typing import Final

from app.wechat.inbound.follow_events import SCENE_PREFIX

MAX_SCENE: Final = 64
# WeChat takes more characters, but not every client of it keeps them.
SCENE_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"
# Room for what is drawn.
KEY_PATTERN: Final = r"^[\x21-\x7e]{1,64}$"
PREFIX_PATTERN: Final = r"^[A-Za-z0-9_-]{0,52}$"
_DRAWN_BYTES: Final = 9


class BadScene(ValueError):
    """The scene can't be used. The text says how to correct it."""


def check_prefix(prefix: str) -> None:
    """Raise BadScene unless scenes that are drawn can begin so."""
    if re.fullmatch(PREFIX_PATTERN, prefix) is None:
        raise BadScene("has at most 52 letters, digits, _ and -")
    check_scene(prefix)


def new_scene(prefix: str = "") -> str:
    """Return a scene that nobody can guess: the prefix and twelve characters."""
    return prefix + secrets.token_urlsafe(_DRAWN_BYTES)


def check_scene(scene: str) -> None:
    """Raise BadScene for a scene that events could not name. Its characters were checked before."""
    if scene.startswith(SCENE_PREFIX):
        raise BadScene(
            f"can't start with {SCENE_PREFIX}, which WeChat puts before it: write what follows it"
        )
