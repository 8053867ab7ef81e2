"""A compact map from keys to ranks, for many keys of which nearly all have one rank."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class RankMap(Generic[Key]):
    """Ranks by key.

    The first rank of a key is stored as a bare number, which takes half the memory of a tuple and
    which the garbage collector does not traverse.
    """

    __slots__ = ("_first", "_others")

    def __init__(self) -> None:
        self._first: dict[Key, int] = {}
        self._others: dict[Key, list[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._first)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._first)

    def add(self, key: Key, rank: int) -> None:
        """Add a rank to a key."""
        if self._first.setdefault(key, rank) != rank:
            self._others.setdefault(key, []).append(rank)

    def of(self, key: Key) -> tuple[int, ...]:
        """Return the ranks of a key in the order in which they were added."""
        first = self._first.get(key)
        if first is None:
            return ()
        return (first, *self._others.get(key, ()))
