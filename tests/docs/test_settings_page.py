"""The settings page names every setting with its default and the values it may have."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import annotated_types
import pytest
from pydantic.fields import FieldInfo

from app.settings import Account, MessageMode, Settings, load_settings
from tests.docs.pages import LANGUAGES, ROOT, page, rows

NAMES = sorted(name.upper() for name in Settings.model_fields)
SETTING = re.compile(r"`([A-Z][A-Z_]+)`")
SETTING_LINE = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)


def setting_rows(language: str) -> list[tuple[str, list[str]]]:
    found = [(SETTING.fullmatch(cells[0]), cells) for cells in rows(page(language, "settings.md"))]
    return [(name[1], cells) for name, cells in found if name]


def values_of(field: FieldInfo) -> str:
    """Return the cell that states which values a setting may have, if that is told in figures."""
    kind: Any = field.annotation
    if kind is bool:
        return "`true`, `false`"
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if kind is MessageMode:
        return ", ".join(f"`{value}`" for value in MessageMode)
    bounds = {type(one): one for one in field.metadata}
    low, above, high = (
        bounds.get(annotated_types.Ge),
        bounds.get(annotated_types.Gt),
        bounds.get(annotated_types.Le),
    )
    if low and high:
        return f"{low.ge}–{high.le}"
    parts = [f"≥ {low.ge}" if low else "", f"> {above.gt}" if above else ""]
    parts.append(f"≤ {high.le}" if high else "")
    return ", ".join(part for part in parts if part)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_every_setting_once_and_no_other(language: str) -> None:
    assert sorted(name for name, _ in setting_rows(language)) == NAMES


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_states_the_defaults_of_the_example_environment(language: str) -> None:
    example = dict(SETTING_LINE.findall((ROOT / ".env.example").read_text(encoding="utf-8")))
    stated = {name: re.fullmatch("`([^`]*)`", cells[1]) for name, cells in setting_rows(language)}

    assert {name: told[1] for name, told in stated.items() if told} == {
        name: value for name, value in example.items() if value
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_states_the_values_that_are_taken(language: str) -> None:
    stated = {name: cells[2] for name, cells in setting_rows(language)}

    assert stated == {
        name.upper(): values_of(field) for name, field in Settings.model_fields.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_accounts_of_the_page_can_be_used(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = TOML.findall(page(language, "settings.md"))
    filled = example.replace('token = "…"', 'token = "Token123"')
    filled = filled.replace('encoding_aes_key = "…"', f'encoding_aes_key = "{"k" * 43}"')
    path = tmp_path / "accounts.toml"
    path.write_text(filled, encoding="utf-8")
    monkeypatch.setenv("ACCOUNTS_FILE", str(path))

    accounts = load_settings().accounts

    assert [account.kind for account in accounts.values()] == ["oa", "mini_program"]
    assert {name for name in Account.model_fields if f"{name} =" in example} == {
        name for name in Account.model_fields if not name.endswith("_previous")
    }
