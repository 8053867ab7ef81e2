"""The id of a reply, from which its `{ref}` follows. Pure."""

import hashlib
from uuid import UUID

from app.wechat.inbound.dedupe import digest_of

_VERSION_7 = 7 << 76
_VARIANT = 0b10 << 62


def reply_id(push_key: bytes, create_time: int, position: int) -> UUID:
    """Return the id of the reply at `position` to a push: the same for every copy of the push.

    Copies may reach services that know nothing of each other, while the database is unavailable;
    each must answer with the same `{ref}`, also services of two versions while one of them is
    replaced. push_key: `dedupe_key` of the push, with or without its time. create_time: Unix
    seconds. The id has the form of a UUIDv7: its first bits are the time, then comes the position,
    then 62 bits that nobody can guess who does not know the whole push.
    """
    salt = position.to_bytes(8, "big")
    digest = hashlib.blake2b(digest_of(push_key), digest_size=8, salt=salt).digest()
    moment = (create_time * 1000) & ((1 << 48) - 1)
    unguessable = int.from_bytes(digest, "big") & ((1 << 62) - 1)
    return UUID(int=moment << 80 | _VERSION_7 | (position & 0xFFF) << 64 | _VARIANT | unguessable)
