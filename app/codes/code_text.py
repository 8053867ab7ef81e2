"""What a code looks like, and how the service draws one. Pure but for the draw.

Only characters that stand in a query, a text and a link as they are, so that a code is never
changed on its way.
"""

import re
import secrets
from typing import Final

MIN_LENGTH: Final = 4
MAX_LENGTH: Final = 64
CODE_PATTERN: Final = r"^[A-Za-z0-9._~-]{4,64}$"
# Of 32 characters a byte draws one without any being more likely; I, L, O and U are misread.
ALPHABET: Final = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# 60 bits: of a pool of a million codes nobody finds one in 10**11 tries.
MIN_DRAWN: Final = 12
MAX_DRAWN: Final = 32

_CODE: Final = re.compile(CODE_PATTERN)
_OF_BYTE: Final = ALPHABET * 8


def is_code(text: str) -> bool:
    """Return whether a text can be a code."""
    return _CODE.fullmatch(text) is not None


def drawn_codes(count: int, prefix: str, length: int) -> list[str]:
    """Return codes that nobody can guess: a prefix, and `length` drawn characters."""
    drawn = secrets.token_bytes(count * length).translate(_OF_BYTE).decode()
    return [prefix + drawn[start : start + length] for start in range(0, count * length, length)]
