"""Errors that stop a sync, apart from other errors of WeChat's API.

AlreadyRunning    another process is syncing this account
ApiError
 └ ListingRepeats  `user/get` would never end
"""

from app.wechat.errcodes import Action
from app.wechat.errors import ApiError


class AlreadyRunning(Exception):
    """Another process is syncing the followers of this account."""


class ListingRepeats(ApiError):
    """WeChat lists the same followers again and again; each page is a call of the day's quota."""

    def __init__(self, what: str) -> None:
        super().__init__(None, f"user/get does not come to its end: {what}", Action.PERMANENT)
