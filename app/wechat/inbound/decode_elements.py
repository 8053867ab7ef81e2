"""Maps elements of a push to the fields of a dataclass.

    media_id: Annotated[str | None, Element("MediaId")] = None

Upper and lower case make no difference in names, because WeChat's own samples disagree.
Source: protocol 4.1.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, TypeVar, get_args, get_origin, get_type_hints

Members = Mapping[str, object]
"""The members of one element, by name in lower case."""

Reader = Callable[[object], object]
Path = tuple[str, ...]
"""Names in lower case, the outermost element first."""

T = TypeVar("T")


def lowered(document: object) -> Members:
    """Return the members of a document by name in lower case; {} for a text or a list."""
    if not isinstance(document, dict):
        return {}
    return {name.lower(): value for name, value in document.items()}


def trimmed(value: object) -> str | None:
    """Read an id or a word without blanks around it; None if it is empty, absent or repeated."""
    return value.strip() or None if isinstance(value, str) else None


def verbatim(value: object) -> str:
    """Read text that a person typed, with all its blanks."""
    return value if isinstance(value, str) else ""


def texts(value: object) -> tuple[str, ...]:
    """Read an element that may be repeated."""
    found = (trimmed(item) for item in as_list(value))
    return tuple(text for text in found if text)


def several(kind: type[T]) -> Reader:
    """Return a reader of one or more elements as a tuple of `kind`."""

    def read(value: object) -> tuple[T, ...]:
        return tuple(
            build(kind, lowered(item)) for item in as_list(value) if isinstance(item, dict)
        )

    return read


def as_list(value: object) -> list[object]:
    """Return a list as it is, and anything else as a list of one: both mean the same."""
    return value if isinstance(value, list) else [value]


class Element:
    """Where a field is read from: `"A.B"` is B inside A; the first path with a value counts."""

    def __init__(self, *paths: str, read: Reader = trimmed) -> None:
        self.paths = tuple(tuple(path.lower().split(".")) for path in paths)
        self.read = read


def build(kind: type[T], members: Members, **own: object) -> T:
    """Return a `kind` made of the values in `own` and of the elements that its fields name.

    A field whose element is absent keeps its default.
    """
    construct: Callable[..., T] = kind
    plain, others = _fields_of(construct)
    for name, member, read in plain:
        if member in members:
            own[name] = read(members[member])
    for name, paths, read in others:
        own[name] = read(_first(members, paths))
    return construct(**own)


@cache
def _fields_of(
    kind: Callable[..., object],
) -> tuple[Sequence[tuple[str, str, Reader]], Sequence[tuple[str, Sequence[Path], Reader]]]:
    """Return the fields that are read from one member of the document, and all others."""
    plain: list[tuple[str, str, Reader]] = []
    others: list[tuple[str, Sequence[Path], Reader]] = []
    for name, hint in get_type_hints(kind, include_extras=True).items():
        elements = get_args(hint) if get_origin(hint) is Annotated else ()
        for element in elements:
            match element:
                case Element(paths=((member,),)):
                    plain.append((name, member, element.read))
                case Element():
                    others.append((name, element.paths, element.read))
    return plain, others


def _first(members: Members, paths: Sequence[Path]) -> object:
    for path in paths:
        value = _at(members, path)
        if value:
            return value
    return None


def _at(members: Members, path: Path) -> object:
    *parents, name = path
    for parent in parents:
        members = lowered(members.get(parent))
    return members.get(name)
