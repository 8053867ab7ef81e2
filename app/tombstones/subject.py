"""Whom an erasure is about, as every room that holds personal data is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

PREFIX = "erased:"


@dataclass(frozen=True, slots=True)
class ErasureSubject:
    """One OpenID of an account, to be erased as far as (until, event_id) by CreateTime and arrival.

    pseudonym: what stands in its place where the row stays. unionids: the same for each UnionID
    it has had.
    """

    appid: str
    openid: str
    until: datetime
    event_id: UUID
    pseudonym: str
    unionids: Mapping[str, str]

    @property
    def parameters(self) -> dict[str, object]:
        """Return it as the parameters of a statement."""
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
