"""Dataclasses that are made for every callback."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def value_class(kind: type[T], /) -> type[T]: ...


@overload
def value_class(*, kw_only: bool = False, repr: bool = True) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value_class(
    kind: type[T] | None = None, /, *, kw_only: bool = False, repr: bool = True
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a class a dataclass that nobody changes, which the type checker alone enforces.

    `dataclass(frozen=True)` sets each field through a function, which takes twice the time.
    """
    made = dataclass(slots=True, unsafe_hash=True, kw_only=kw_only, repr=repr)
    return made if kind is None else made(kind)
