"""What the pages say of personal data agrees with the code."""

import json
import re

import pytest

from app.privacy.models import Trigger
from app.privacy.policy import scope_of
from app.privacy.router import ErasureOut
from app.settings import Settings
from app.tombstones.models import Scope
from tests.docs.pages import LANGUAGES, examples, page, table_under

PAGE = "personal-data.md"
CLASSES = (
    Scope.NOT_HELD,
    Scope.INVOICE,
    Scope.CARD,
    Scope.VOICE,
    Scope.PROFILE,
    Scope.LOCATION,
    Scope.PICTURES,
)
MOST_CODE = 400
FIRST_CELLS = {"en": ("Class", "Setting"), "zh": ("类别", "设置")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_certificate_has_the_members_that_the_api_shows(language: str) -> None:
    (example,) = examples(page(language, PAGE))

    shown = ErasureOut.model_validate_json(example.content)

    assert json.loads(example.content).keys() == shown.model_dump().keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_a_withdrawn_authorisation_is_listed_under_its_class(language: str) -> None:
    rows = table_under(page(language, PAGE), FIRST_CELLS[language][0])

    assert len(rows) == len(CLASSES)
    listed = {
        (kind, code): scope
        for scope, row in zip(CLASSES, rows, strict=True)
        for kind, (codes,) in (("oa", row[1]), ("mini_program", row[2]))
        for code in re.findall(r"\d+", codes)
    }
    known = {
        (kind, str(code)): scope
        for kind in ("oa", "mini_program")
        for code in range(MOST_CODE)
        for scope in [
            scope_of(
                Trigger.AUTHORIZATION_REVOKE,
                str(code),
                kind="oa" if kind == "oa" else "mini_program",
                on_unfollow="everything",
            )
        ]
        if scope is not Scope.CONTENT
    }
    assert listed == known


@pytest.mark.parametrize("language", LANGUAGES)
def test_settings_are_named_with_their_defaults(language: str) -> None:
    rows = table_under(page(language, PAGE), FIRST_CELLS[language][1])

    for (name,), (default,), _ in rows:
        actual = Settings.model_fields[name.lower()].default
        assert actual is None or str(actual) == default
