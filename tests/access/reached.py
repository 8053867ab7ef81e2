"""Which actions of the audit log a function can record, itself or by what it calls."""

import ast
import dis
import inspect
from collections.abc import Iterator, Mapping, Set
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple, TypeGuard

from app.access.actions import Action

OURS = ("app.",)

Definition = ast.FunctionDef | ast.AsyncFunctionDef


class Place(NamedTuple):
    """A function, and the class of which it is a method."""

    function: FunctionType
    of_class: type | None


def reached(function: Any) -> frozenset[Action]:  # noqa: ANN401 - of any signature
    """Return the actions that the code of a function names, or that of what it calls.

    Calls of methods are followed by the classes in annotations, so what is passed without a name
    and without an annotation is not seen.
    """
    found: set[Action] = set()
    left = list(_places([function], None))
    seen = set(left)
    while left:
        actions, further = _looked_at(left.pop())
        found |= actions
        left += further - seen
        seen |= further
    return frozenset(found)


@cache
def _looked_at(place: Place) -> tuple[frozenset[Action], frozenset[Place]]:
    """Return the actions that a function names itself, and the functions that it may call."""
    function, of_class = place
    names = frozenset(_names_of(function))
    named = [of_class, *_named_by(function), *_held_by(function)]
    further: set[Place] = set()
    for one in named:
        if _is_our_class(one):
            further.update(_places(_methods(one, names), one))
        else:
            further.update(_places(_values(one), None))
    actions = frozenset(each for one in named for each in _values(one) if isinstance(each, Action))
    return actions, frozenset(further)


def _places(ones: Any, of_class: type | None) -> Iterator[Place]:  # noqa: ANN401 - anything
    for one in ones:
        function = inspect.unwrap(getattr(one, "__func__", one)) if callable(one) else one
        function = getattr(function, "__func__", function)
        if isinstance(function, FunctionType) and function.__module__.startswith(OURS):
            yield Place(function, of_class)


def _methods(of_class: type, names: Set[str]) -> Iterator[Any]:
    for base in of_class.__mro__:
        for name in names & vars(base).keys():
            yield vars(base)[name]


def _values(one: Any) -> Iterator[Any]:  # noqa: ANN401 - anything
    """Yield a value, or what a table of them holds."""
    if isinstance(one, dict):
        one = tuple(one.values())
    if isinstance(one, tuple | list):
        for each in one:
            yield from _values(each)
    elif isinstance(one, FunctionType | MethodType | Action):
        yield one


def _is_our_class(one: Any) -> TypeGuard[type]:  # noqa: ANN401 - anything
    return isinstance(one, type) and one.__module__.startswith(OURS)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function and of those within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _names_of(function: FunctionType) -> Iterator[str]:
    for code in _codes(function.__code__):
        yield from code.co_names


@cache
def _named_by(function: FunctionType) -> tuple[Any, ...]:
    """Return what a function names: `helper`, `module.helper`, `Class.method`, `Action.X`."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    closure = {name: cell.cell_contents for name, cell in cells}
    named = []
    for code in _codes(function.__code__):
        holder: Any = None
        for step in dis.get_instructions(code):
            match step.opname:
                case "LOAD_GLOBAL":
                    holder = function.__globals__.get(step.argval)
                case "LOAD_DEREF":
                    holder = closure.get(step.argval)
                case "LOAD_ATTR" | "LOAD_METHOD" if isinstance(holder, ModuleType | type):
                    holder = getattr(holder, step.argval, None)
                case _:
                    holder = None
            named.append(holder)
    return tuple(one for one in named if one is not None)


def _held_by(function: FunctionType) -> Iterator[Any]:
    """Yield the classes of a function's parameters and variables, and those of what it calls."""
    yield from _annotated(function, ast.arg, ast.AnnAssign)
    for called, _ in _places(_named_by(function), None):
        yield from _annotated(called, ast.arg, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def _annotated(function: FunctionType, *kinds: type[ast.AST]) -> tuple[Any, ...]:
    code = function.__code__
    defined = _definitions(code.co_filename).get(code.co_firstlineno)
    annotations = [
        getattr(node, "annotation", None) or getattr(node, "returns", None)
        for node in (ast.walk(defined) if defined is not None else ())
        if isinstance(node, kinds)
    ]
    names = [
        node.id
        for annotation in annotations
        if annotation is not None
        for node in ast.walk(annotation)
        if isinstance(node, ast.Name)
    ]
    return tuple(function.__globals__.get(name) for name in names)


@cache
def _definitions(file: str) -> Mapping[int, Definition]:
    """Return the functions of a file by their first line, which may be that of a decorator."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, Definition)]
    return {
        min([node.lineno, *(one.lineno for one in node.decorator_list)]): node for node in found
    }
