"""Why a callback was not stored.

InboxError
 ├ NotStored     neither the database nor the spool took it: 503, WeChat tries again
 ├ BadData       the database can't hold a value of this very callback: 400
 ├ SignatureUsed  in plain mode: the signature came with another push before: 403
 └ CooldownLost  another push used the turn of a rule first: decide again without it
"""

from collections.abc import Set
from typing import ClassVar


class InboxError(Exception):
    """Root of the inbox's errors. reason: a slug for metrics and logs."""

    reason: ClassVar[str]


class NotStored(InboxError):
    """Neither the database nor the spool could keep it."""

    reason = "not_stored"


class BadData(InboxError):
    """A value of this callback is one that the database can't hold."""

    reason = "bad_data"


class SignatureUsed(InboxError):
    """In plain mode: the signature came with another push before. Nothing is stored."""

    reason = "signature_used"


class CooldownLost(InboxError):
    """Another push took the turn of rules with a cooldown. rule_ids: which. Nothing is stored."""

    reason = "beaten"

    def __init__(self, rule_ids: Set[int]) -> None:
        super().__init__()
        self.rule_ids = frozenset(rule_ids)
