"""A part of the console: its place in the navigation and its routes."""

from dataclasses import dataclass

from fastapi import APIRouter


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the navigation.

    path: below the console, `/rules`; its last part is also the name of the section's folder of
    templates and of its catalogue. label: a message. key: the letter that opens it.
    """

    path: str
    label: str
    key: str
    router: APIRouter

    @property
    def name(self) -> str:
        """The name of the section, as `rules`."""
        return self.path.removeprefix("/")
