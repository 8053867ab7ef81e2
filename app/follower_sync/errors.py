"""Errors that stop a sync, apart from ApiError.

AlreadyRunning    another process is syncing this account
"""


class AlreadyRunning(Exception):
    """Another process is syncing the followers of this account."""
