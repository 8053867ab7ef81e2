"""The page of limits names tests, settings and constants that exist."""

import ast
import re
from functools import cache

import pytest

from app.settings import Settings
from tests.docs.pages import LANGUAGES, ROOT, named, page, rows

_STATED = re.compile(r"`([A-Z][A-Z0-9_]+)` ?[(（]([0-9][0-9,]*)(?:[)）]| [个条行]|[个条行])")
_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")


def in_code(text: str) -> set[str]:
    return {name for name in named(text) if _CONSTANT.fullmatch(name)}


def named_tests(language: str) -> list[str]:
    found = [name for cells in rows(page(language, "limits.md")) for name in named(cells[-1])]
    return [name for name in found if name.startswith("tests/")]


@cache
def constants() -> dict[str, list[ast.expr | None]]:
    """Return what modules of the service assign at their top level: the values of each name."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "app").rglob("*.py")]
    found: dict[str, list[ast.expr | None]] = {}
    for node in (node for tree in trees for node in tree.body):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return found


def number(value: ast.expr | None) -> float | None:
    """Return the value of a number, or of a product of numbers; None of anything else."""
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
        return value.value
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
        factors = number(value.left), number(value.right)
        return None if None in factors else factors[0] * factors[1]  # type: ignore[operator]
    return None


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_test_that_the_page_names_exists(language: str) -> None:
    stated = named_tests(language)

    assert stated
    for name in stated:
        path, _, function = name.partition("::")
        assert (ROOT / path).is_file(), name
        assert not function or function in functions(path), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_and_constant_that_the_page_names_exists(language: str) -> None:
    stated = in_code(page(language, "limits.md"))

    assert stated
    assert stated - constants().keys() - {name.upper() for name in Settings.model_fields} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_numbers_of_constants_are_those_of_the_code(language: str) -> None:
    """Of those without a unit, whose name stands for numbers wherever it occurs."""
    wrong, compared = [], 0
    for name, stated in _STATED.findall(page(language, "limits.md")):
        values = [number(value) for value in constants().get(name, [])]
        if values and None not in values:
            compared += 1
            if int(stated.replace(",", "")) not in values:
                wrong.append((name, stated, values))

    assert wrong == []
    assert compared > 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_row_stands_twice(language: str) -> None:
    stated = [tuple(sorted(named(" ".join(cells)))) for cells in rows(page(language, "limits.md"))]
    stated = [names for names in stated if names]

    assert [names for names in stated if stated.count(names) > 1] == []


def test_both_languages_name_the_same_in_every_row() -> None:
    english, chinese = (
        [[sorted(named(cell)) for cell in cells] for cells in rows(page(language, "limits.md"))]
        for language in LANGUAGES
    )

    assert english == chinese
