"""The three ids of WeChat. They look alike but mean different things, so each has its own type."""

from typing import Final, NewType

AppId = NewType("AppId", str)
"""An account, OA or mini-program: `wx` and 16 hex digits."""

OpenId = NewType("OpenId", str)
"""A person at one account. Case-sensitive, opaque."""

UnionId = NewType("UnionId", str)
"""A person at all accounts of one Open Platform account. Case-sensitive, opaque, no primary key."""

AccountOpenId = tuple[str, str]
"""A person at one account: (AppID, OpenID)."""

MAX_ID_CHARACTERS: Final = 128
"""What is longer is no id of WeChat, and no index holds it."""
