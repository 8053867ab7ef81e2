"""Maps elements of a push to the fields of a dataclass.

    media_id: Annotated[str | None, Element("MediaId")] = None

Upper and lower case make no difference in names, because WeChat's own samples disagree. An element
that stands twice, or in two spellings, is read as the first of them that has a value.
Source: protocol 4.1.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Annotated, TypeVar, get_args, get_origin, get_type_hints

from app.wechat.ids import MAX_ID_CHARACTERS

Members = Mapping[str, object]
"""The members of one element, by name in lower case."""

Reader = Callable[[object], object]
Path = tuple[str, ...]
"""Names in lower case, the outermost element first."""

T = TypeVar("T")


def lowered(document: object) -> Members:
    """Return the members of a document by name in lower case; {} for a text.

    Members that differ in case alone become one that is repeated, and so do those of a list of
    documents.
    """
    if isinstance(document, dict):
        members = {name.lower(): value for name, value in document.items()}
        if len(members) == len(document):
            return members
    return _gathered(as_list(document))


def _gathered(documents: Sequence[object]) -> Members:
    found: dict[str, list[object]] = {}
    for document in documents:
        if isinstance(document, dict):
            for name, value in document.items():
                found.setdefault(name.lower(), []).extend(as_list(value))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def trimmed(value: object) -> str | None:
    """Read an id or a word without blanks around it; None if it is empty or absent."""
    if isinstance(value, str):
        return value.strip() or None
    return next(iter(texts(value)), None) if isinstance(value, list) else None


def unambiguous(value: object) -> str | None:
    """Read an id as `trimmed` does; None also if two differ, or if it is too long for an id."""
    found = set(texts(value))
    text = found.pop() if len(found) == 1 else None
    return text if text is not None and len(text) <= MAX_ID_CHARACTERS else None


def verbatim(value: object) -> str:
    """Read text that a person typed, with all its blanks."""
    if isinstance(value, str):
        return value
    return next((item for item in as_list(value) if isinstance(item, str) and item), "")


def texts(value: object) -> tuple[str, ...]:
    """Read an element that may be repeated."""
    found = (item.strip() for item in as_list(value) if isinstance(item, str))
    return tuple(text for text in found if text)


def several(kind: type[T]) -> Reader:
    """Return a reader of one or more elements as a tuple of `kind`."""

    def read(value: object) -> tuple[T, ...]:
        return tuple(
            build(kind, lowered(item)) for item in as_list(value) if isinstance(item, dict)
        )

    return read


def as_list(value: object) -> list[object]:
    """Return the items of a list and of lists in it, and anything else as a list of one."""
    if not isinstance(value, list):
        return [value]
    if any(isinstance(item, list) for item in value):  # a repeated member whose value is a list
        return [inner for item in value for inner in as_list(item)]
    return value


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
