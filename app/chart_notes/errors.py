"""Errors of notes.

ChartNoteError
 └ TooManyNotes    there are as many notes as there may be
"""


class ChartNoteError(Exception):
    """Base class of all errors of this package."""


class TooManyNotes(ChartNoteError):
    """There are as many notes as there may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"there are {most:,} notes: delete some first")
