"""The query string of a callback."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote_plus

from app.wechat.errors import BadEnvelope


@dataclass(frozen=True, slots=True)
class CallbackQuery:
    """The parameters of a callback; None where it has none. Source: protocol 1.3.

    openid is in no signature: good for a log line, never for a decision.
    """

    signature: str | None = None
    timestamp: str | None = None
    nonce: str | None = None
    echostr: str | None = None
    encrypt_type: str | None = None
    msg_signature: str | None = None
    openid: str | None = None

    @classmethod
    def parse(cls, query_string: bytes) -> Self:
        """Read a raw query string, leaving out what the protocol does not name.

        Raises BadEnvelope (repeated_parameter): of two signatures none can be the right one.
        """
        known: dict[str, str] = {}
        text = query_string.decode(errors="replace")
        # WeChat quotes little, and asking first is cheaper than undoing nothing.
        quoted = "%" in text or "+" in text
        for pair in text.split("&"):
            name, _, value = pair.partition("=")
            if name not in _NAMES:
                continue
            if name in known:
                raise BadEnvelope("repeated_parameter")
            known[name] = unquote_plus(value) if quoted else value
        return cls(**known)


_NAMES = frozenset(CallbackQuery.__slots__)
