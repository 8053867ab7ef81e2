"""Why a callback was not kept.

InboxError
 ├ InboxFull   too many wait already: 503 at once
 ├ NotStored   neither the database nor the spool took it: 503, WeChat tries again
 └ BadData     the database can't hold a value of this very callback: 400
"""


class InboxError(Exception):
    """Root of the inbox's errors."""


class InboxFull(InboxError):
    """The waiting list is full."""


class NotStored(InboxError):
    """Neither the database nor the spool could keep it."""


class BadData(InboxError):
    """A value of this callback is one that the database can't hold."""
