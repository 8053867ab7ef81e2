"""What operators read about a text that one of our patterns refuses."""

from collections.abc import Mapping
from typing import Final

_NUL: Final = "is empty or holds a NUL character: correct it"
_CONTROL: Final = "is empty or holds control characters: remove them"
_PAGE: Final = "is no page as in app.json: write it without a leading slash and without blanks"
_WORD: Final = (
    "may hold letters, digits and signs of ASCII alone, and no blanks{}: replace the others"
)
_NAME: Final = "must have {} characters: letters, digits, _ and - alone"
_URL: Final = "must start with http:// or https:// and hold no blanks"

PATTERN_MESSAGES: Final[Mapping[str, str]] = {
    r"^wx[0-9a-f]{16}$": "is not an AppID (wx and 16 digits or letters a to f): copy it from the "
    "console",
    r"^https?://\S+$": _URL,
    r"^https?://[^\x00-\x20\x7f]+$": _URL,
    r"^https?://[!-~]+$": "must start with http:// or https:// and hold ASCII without "
    "blanks: write other characters of a host as xn--…, and those of a path as %…",
    r"^[^\x00]*$": _NUL,
    r"^[^\x00]+$": _NUL,
    r"^[^\x00-\x1f\x7f]*$": _CONTROL,
    r"^[^\x00-\x1f\x7f]+$": _CONTROL,
    r"^\s*[^\x00\s]{1,128}\s*$": "is not an id of WeChat (1 to 128 characters without blanks): "
    "report it as WeChat returned it",
    r"^(?:[^/?#\s\x00][^?#\s\x00]*)?$": f"{_PAGE}, and what follows ? in `query`",
    r"^(?:[^/\s\x00][^\s\x00]*)?$": _PAGE,
    r"^(?:[^\x00-\x20\x7f/][^\x00-\x20\x7f]*)?$": _PAGE,
    r"^[!-~]*$": _WORD.format(""),
    r"^[!-~]+$": _WORD.format(""),
    r"^[\x21-\x7e]+$": _WORD.format(""),
    r"^[\x21-\x7e]{1,64}$": _WORD.format(", 1 to 64 of them"),
    r"^[A-Za-z0-9_-]{1,32}$": _NAME.format("1 to 32"),
    r"^[A-Za-z0-9_-]{4,32}$": _NAME.format("4 to 32"),
    r"^[A-Za-z0-9_-]{0,52}$": _NAME.format("at most 52"),
    r"^[A-Za-z0-9_-]{1,64}$": _NAME.format("1 to 64"),
    r"^[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]+$": "holds what WeChat takes in no scene: write letters, "
    "digits and !#$&'()*+,/:;=?@-._~ alone",
    r"^[A-Z]{3}$": "is not a currency of ISO 4217: write its three capital letters, as CNY",
    r"^[A-Za-z0-9._~-]{4,64}$": "is not a code: it has 4 to 64 letters, digits and . _ ~ -",
    r"^[A-Za-z0-9._~-]{0,16}$": "must have at most 16 characters: letters, digits and . _ ~ - "
    "alone",
    r"^[A-Za-z0-9_/-]{1,64}$": "is not the id of a door: copy it from where the door was made",
    r"^[!-;=?A-~]+@[A-Za-z0-9._-]+$": "is not a mail address: write it as name@example.com",
    r"^[A-Za-z0-9.:_-]+$": "is not a host: write it as smtp.example.com",
    r"^[a-z_]+$": "is not a msgtype: write it as WeChat does, as text or image",
}
