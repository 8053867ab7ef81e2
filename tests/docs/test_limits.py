"""The page of limits names tests, settings and constants that exist."""

import ast
import re
from functools import cache

import pytest

from app.settings import Settings
from tests.docs.pages import LANGUAGES, ROOT, named, page, rows

_CONSTANT = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")


def in_code(text: str) -> set[str]:
    return {name for name in named(text) if _CONSTANT.fullmatch(name)}


def named_tests(language: str) -> list[str]:
    found = [name for cells in rows(page(language, "limits.md")) for name in named(cells[-1])]
    return [name for name in found if name.startswith("tests/")]


@cache
def constants() -> frozenset[str]:
    """Return the names that modules of the service assign at their top level."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "app").rglob("*.py")]
    targets = []
    for node in (node for tree in trees for node in tree.body):
        if isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign):
            targets.append(node.target)
    return frozenset(target.id for target in targets if isinstance(target, ast.Name))


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
    assert stated - constants() - {name.upper() for name in Settings.model_fields} == set()


def test_both_languages_name_the_same_in_every_row() -> None:
    english, chinese = (
        [[sorted(named(cell)) for cell in cells] for cells in rows(page(language, "limits.md"))]
        for language in LANGUAGES
    )

    assert english == chinese
