"""A setting that is wrong is told in one sentence that names it and the fix."""

from pathlib import Path

import pytest

from tests.mistakes.settings_table import (
    ACCOUNTS_FILE_MISTAKES,
    ANY_TEXT,
    NAMES,
    SETTING_MISTAKES,
)
from tests.test_settings import problems


def test_every_setting_is_in_the_table() -> None:
    assert {name for name, _, _ in SETTING_MISTAKES} == NAMES - ANY_TEXT


@pytest.mark.parametrize(("name", "value", "said"), SETTING_MISTAKES)
def test_a_wrong_value_is_told_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    (line,) = problems(monkeypatch, **{name: value})

    assert line.startswith(f"{name}: ")
    assert said in line
    assert "\n" not in line
    assert "Input should" not in line
    assert "pattern" not in line


@pytest.mark.parametrize(("content", "said"), ACCOUNTS_FILE_MISTAKES)
def test_a_wrong_accounts_file_is_told_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text(content)

    (line,) = problems(monkeypatch, ACCOUNTS_FILE=str(path))

    assert line.startswith("ACCOUNTS_FILE")
    assert said in line
    assert "Input should" not in line
