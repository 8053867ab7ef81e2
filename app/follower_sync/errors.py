"""What can stop a synchronisation, apart from ApiError.

AlreadyRunning    another process synchronises this account
"""


class AlreadyRunning(Exception):
    """Another process synchronises the followers of this account."""
