"""Stored secrets of accounts whose encryption changes with the settings."""

from collections.abc import Callable, Iterable
from typing import Protocol

from app.secret_box import DecryptionFailed, SecretBox


class OfAccount(Protocol):
    """A row that belongs to an account."""

    appid: str


def rewrite_rows(
    rows: Iterable[OfAccount], column: str, box: SecretBox, purpose: Callable[[str], bytes]
) -> int:
    """Encrypt a column as the settings say; return the number of changed rows.

    purpose: of the secret, by the AppID. What can't be decrypted is left to be fetched anew.
    """
    changed = 0
    for row in rows:
        stored, aim = getattr(row, column), purpose(row.appid)
        try:
            if box.is_current(stored, aim):
                continue
            setattr(row, column, box.encrypt(box.decrypt(stored, aim), aim))
        except DecryptionFailed:
            continue
        changed += 1
    return changed
