"""The person that an erasure is about, as each package that holds personal data receives it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

PREFIX = "erased:"


@dataclass(frozen=True, slots=True)
class ErasureSubject:
    """One OpenID of an account whose data is to be erased.

    until: by CreateTime, inclusive. event_id: a follow or unfollow of that same second is included
    if its id is not greater (ids are in the order of arrival). pseudonym: replaces the OpenID in
    rows that stay. unionids: pseudonym by UnionID, for each UnionID that the OpenID has had.
    """

    appid: str
    openid: str
    until: datetime
    event_id: UUID
    pseudonym: str
    unionids: Mapping[str, str]

    @property
    def parameters(self) -> dict[str, object]:
        """Return the subject as parameters of an SQL statement."""
        return {
            "appid": self.appid,
            "openid": self.openid,
            "until": self.until,
            "event_id": self.event_id,
            "pseudonym": self.pseudonym,
            "unionids": list(self.unionids),
            "unionid_pseudonyms": list(self.unionids.values()),
        }


def is_erased(openid: str) -> bool:
    """Tell whether an OpenID is a pseudonym."""
    return openid.startswith(PREFIX)
