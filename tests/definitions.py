"""What `make check` could not see by itself: modules that are only imported and never run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("app", "simulator", "tests")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add to the lines that each test ran those of the definitions that they were written with.

    pytest-testmon keeps for each test the functions that it ran. A module of tables, schemas or
    constants runs when it is imported, which is before the first test. It counts as run by a test
    that runs a function of a module that imports it.
    """
    for files in getattr(report, "nodes_files_lines", {}).values():
        for file in [name for name in files if name.endswith(".py")]:
            for defining in _definitions_of(file):
                files.setdefault(defining, {_first_line(defining)})


@cache
def _definitions_of(file: str) -> frozenset[str]:
    found: set[str] = set()
    left = [file]
    while left:
        for imported, only_constants in _imports(left.pop()):
            if imported not in found and (only_constants or _only_defines(imported)):
                found.add(imported)
                left.append(imported)
    return frozenset(found)


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


@cache
def _first_line(file: str) -> int:
    body = _tree(file).body
    return body[0].lineno if body else 1


@cache
def _only_defines(file: str) -> bool:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return not any(isinstance(node, functions) for node in ast.walk(_tree(file)))


def _imports(file: str) -> Iterator[tuple[str, bool]]:
    """Yield the files that a file imports, and whether it takes a constant from them."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            names = [(alias.name, False) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [(node.module, any(alias.name.isupper() for alias in node.names))]
            names += [(f"{node.module}.{alias.name}", False) for alias in node.names]
        else:
            continue
        for name, constant in names:
            path = _path_of(name)
            if path is not None:
                yield path, constant


@cache
def _path_of(module: str) -> str | None:
    if module.split(".", maxsplit=1)[0] not in OURS:
        return None
    base = module.replace(".", "/")
    return next(
        (path for path in (f"{base}.py", f"{base}/__init__.py") if (ROOT / path).is_file()), None
    )
