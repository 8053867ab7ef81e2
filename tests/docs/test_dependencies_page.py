"""The page about dependencies lists each package with its licence, and each is compatible."""

from tests.docs.pages import DOCS
from tools.list_licences import (
    COMPATIBLE,
    SEPARATE_PROGRAMS,
    licence_of,
    licences_in,
    packages,
    table,
)

PAGE = (DOCS / "dependencies.md").read_text(encoding="utf-8")


def test_the_page_lists_every_pinned_package_with_its_licence() -> None:
    assert PAGE.endswith("\n".join(["", "", *table(), ""]))


def test_the_service_needs_nothing_whose_licence_is_not_compatible() -> None:
    licences = {name: licences_in(licence_of(name)) for name in packages("service")}

    assert {name for name, found in licences.items() if not found <= COMPATIBLE} == set()


def test_development_needs_nothing_else_but_programs_of_their_own() -> None:
    licences = {name: licences_in(licence_of(name)) for name in packages("dev")}
    others = {name: found - COMPATIBLE for name, found in licences.items()}

    assert {name: found for name, found in others.items() if found} == {
        name: {licence} for name, licence in SEPARATE_PROGRAMS.items()
    }
    assert SEPARATE_PROGRAMS.keys().isdisjoint(packages("service"))
