"""The page of a mini-program that a link opens. Pure. Source: linkage 5.1."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """path: of a released page, without its query; empty: the home page. query: without `?`."""

    path: str
    query: str
    env_version: str

    def as_json(self) -> dict[str, Any]:
        """Return the members of the request."""
        return {"path": self.path, "query": self.query, "env_version": self.env_version}
