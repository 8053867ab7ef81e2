"""A setting that is wrong is told in one sentence that names it and the fix."""

import re
from pathlib import Path

import pytest

from app.doctor.setting_words import problem_in_chinese
from tests.mistakes.settings_table import (
    ACCOUNTS_FILE_MISTAKES,
    ANY_TEXT,
    NAMES,
    SETTING_MISTAKES,
)
from tests.test_settings import GOOD, env_file_problems, problems

# Words of English sentences; names, values and what a parser says of a file stay as they are.
ENGLISH = re.compile(r"\b(?:must|is|are|has|have|holds|needs|copy|did|write|set|the|and|or)\b")
FROM_THE_PARSER = re.compile("TOML（.*）")


def is_chinese(line: str) -> bool:
    told = FROM_THE_PARSER.sub("", problem_in_chinese(line))
    return re.search("[一-鿿]", told) is not None and ENGLISH.search(told) is None


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
    assert is_chinese(line)


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
    assert is_chinese(line)


def test_misspelt_settings_and_none_at_all_are_told_in_chinese(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = problems(monkeypatch, CONSOL="off")
    monkeypatch.delenv("CONSOL")
    lines += problems(monkeypatch, **dict.fromkeys(GOOD, ""))
    lines += env_file_problems(monkeypatch, tmp_path, "WECHAT_AES_KEY=a\nWECHAT_XYZ=b\n")

    assert [line.partition(":")[0] for line in lines] == [
        *("CONSOL", "WECHAT_APPID", "WECHAT_AES_KEY", "WECHAT_XYZ"),
    ]
    assert [line for line in lines if not is_chinese(line)] == []
