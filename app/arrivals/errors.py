"""Errors of arrivals."""


class TooManyWaiting(Exception):
    """More reports wait for the database than a process holds."""

    def __init__(self) -> None:
        super().__init__("too many reports wait to be stored: send them again in a few seconds")
