"""References to people, which stand in the addresses of pages in place of OpenIDs.

An address is kept in logs, in the history of a browser and in chats, where an OpenID would not be
masked. A reference is the OpenID, encrypted with AES-SIV (RFC 5297): the same one each time, and
readable by this service alone.
"""

import base64
import binascii
from typing import Final

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF
from sqlalchemy.ext.asyncio import AsyncSession

from app.settings import Settings
from app.tombstones.erasure_secret import erasure_secret, read_secret
from app.wechat.ids import AccountOpenId

TAIL_CHARACTERS: Final = 4
_KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16
_HKDF_CONTEXT: Final = b"oa-bridge console references"
_SEPARATOR: Final = "\0"  # no id of WeChat contains it


class NoReference(ValueError):
    """The text is not a reference that this service made."""


class References:
    """Makes and reads references. secret: of the service."""

    def __init__(self, secret: bytes) -> None:
        key = HKDF(secret, _KEY_BYTES, b"", SHA256, 1, _HKDF_CONTEXT)
        if not isinstance(key, bytes):  # it is a tuple only for several keys
            raise TypeError
        self._key = key

    def make(self, appid: str, openid: str) -> str:
        """Return the reference to an OpenID: letters, digits, `-` and `_`."""
        text = _SEPARATOR.join((appid, openid)).encode()
        ciphertext, tag = AES.new(self._key, AES.MODE_SIV).encrypt_and_digest(text)
        return base64.urlsafe_b64encode(tag + ciphertext).decode().rstrip("=")

    def read(self, reference: str) -> AccountOpenId:
        """Return the AppID and the OpenID of a reference. Raises NoReference."""
        try:
            raw = base64.urlsafe_b64decode(reference + "=" * (-len(reference) % 4))
            cipher = AES.new(self._key, AES.MODE_SIV)
            text = cipher.decrypt_and_verify(raw[_TAG_BYTES:], raw[:_TAG_BYTES]).decode()
            appid, openid = text.split(_SEPARATOR)
        except (ValueError, binascii.Error) as error:
            raise NoReference from error
        return appid, openid


async def references(session: AsyncSession, settings: Settings) -> References:
    """Return the references of this service. Raises ErasureSecretUnreadable."""
    return References(await read_secret(session, erasure_secret(settings)))


def tail(openid: str) -> str:
    """Return the last characters of an OpenID, by which its row can be told from others."""
    return openid[-TAIL_CHARACTERS:] if len(openid) > 2 * TAIL_CHARACTERS else ""
