"""Reads the query string of a callback."""

import re
from dataclasses import fields
from typing import Self
from urllib.parse import unquote_plus

from app.value_class import value_class
from app.wechat.errors import BadEnvelope


@value_class
class CallbackQuery:
    """The parameters of a callback; None where one is missing. Source: protocol 1.3.

    openid: no signature covers it, so it may be logged, but nothing may be decided by it.
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
        """Read a raw query string and ignore parameters that the protocol does not name.

        Raises BadEnvelope (repeated_parameter): with two signatures it is unclear which one counts.
        """
        known: dict[str, str] = {}
        text = query_string.decode(errors="replace")
        # WeChat seldom quotes anything, and this test is cheaper than unquoting every value.
        quoted = "%" in text or "+" in text
        for pair in text.split("&"):
            name, _, value = pair.partition("=")
            if name not in _NAMES:
                continue
            if name in known:
                raise BadEnvelope("repeated_parameter")
            known[name] = unquote_plus(value) if quoted else value
        return cls(**known)

    def require_signable(self) -> None:
        """Refuse what WeChat never signs. Raises BadEnvelope (malformed_query).

        The signature covers the parts joined without a border: a nonce or timestamp of any shape
        would let somebody move characters from one to the other, and a reply repeats the nonce.
        """
        if self.timestamp is not None and not _TIMESTAMP.fullmatch(self.timestamp):
            raise BadEnvelope("malformed_query")
        if self.nonce is not None and not _NONCE.fullmatch(self.nonce):
            raise BadEnvelope("malformed_query")


_TIMESTAMP = re.compile("[0-9]{1,12}")
_NONCE = re.compile("[A-Za-z0-9_-]{1,64}")
_NAMES = frozenset(field.name for field in fields(CallbackQuery))
