"""Names of operators and tokens. Pure."""

import unicodedata
from typing import Final

from app.access.errors import InvalidName

MAX_NAME_CHARACTERS: Final = 40

# Categories of Unicode: control, format (such as right-to-left marks), surrogate, private use,
# unassigned, line and paragraph separator. They would let one name look like another.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_name(name: str) -> str:
    """Return the name as it is stored: composed (NFC), without outer spaces.

    Raises InvalidName.
    """
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(cleaned) <= MAX_NAME_CHARACTERS:
        raise InvalidName(f"a name has 1 to {MAX_NAME_CHARACTERS} characters")
    if any(unicodedata.category(character) in _UNSEEN for character in cleaned):
        raise InvalidName("a name can't have characters that nobody sees")
    return cleaned
