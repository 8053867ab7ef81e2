"""The three ids of WeChat. They look alike and mean different things, so each is its own type."""

from typing import NewType

AppId = NewType("AppId", str)
"""An account of ours (OA or mini-program): `wx` and 16 hex digits."""

OpenId = NewType("OpenId", str)
"""A person as one account sees them. Case-sensitive, opaque."""

UnionId = NewType("UnionId", str)
"""A person as one Open Platform account sees them. Case-sensitive, opaque, never a primary key."""
# A person at one account: (AppID, OpenID).
AccountOpenId = tuple[str, str]
