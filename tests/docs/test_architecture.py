"""docs/architecture.md names every package, job, table, setting and database function."""

import importlib
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.db.base import Base
from app.db.engine import open_database
from app.settings import Settings
from app.wechat.client import ApiClient
from app.worker import entrypoints, make_jobs, schedules
from simulator import demo

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"
PAGE = ROOT / "docs" / "architecture.md"
FOR_DEVELOPERS = [PAGE, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/decisions").glob("*.md"))]
CODE = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w./-]+\.py")
FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)", re.IGNORECASE)


def code_on(page: Path) -> set[str]:
    """Return what stands on a page as code."""
    return set(CODE.findall(page.read_text(encoding="utf-8")))


def missing(names: Iterable[str], heading: str) -> list[str]:
    """Return the names that stand in no first column of a table of one section."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| ")]
    return sorted(set(names) - {code for cell in cells for code in CODE.findall(cell)})


def test_the_page_names_every_package() -> None:
    packages = [folder.parent.relative_to(APP) for folder in APP.rglob("__init__.py")]

    assert missing((path.as_posix() for path in packages if path.parts), "Packages") == []


def test_the_page_names_every_table() -> None:
    for models in APP.rglob("models.py"):
        importlib.import_module(".".join(models.relative_to(ROOT).with_suffix("").parts))

    assert missing(Base.metadata.tables, "Tables") == []


def test_the_page_names_every_setting() -> None:
    settings = {name.upper() for name in Settings.model_fields}

    assert settings - code_on(PAGE) == set()


async def test_the_page_names_every_job_and_schedule() -> None:
    settings = Settings(
        _env_file=None,
        wechat_appid=demo.ACCOUNT.appid,
        wechat_token="Token123",
        wechat_message_mode="plain",
    )
    database = open_database("postgresql://nowhere/none")
    async with ApiClient() as client:
        jobs = make_jobs(settings, database, SystemClock(), client)

        assert missing([*entrypoints(jobs), *schedules(jobs), "feed.ring"], "Jobs") == []


def test_the_page_names_every_function_of_the_database() -> None:
    sources = [*(ROOT / "migrations").rglob("*.py"), *(APP / "db" / "sql").glob("*.sql")]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    functions = {name for text in texts for name in FUNCTION.findall(text)}

    assert functions
    assert missing(functions, "What the database does by itself") == []


@pytest.mark.parametrize("page", FOR_DEVELOPERS, ids=lambda page: page.name)
def test_every_file_that_a_page_for_developers_names_exists(page: Path) -> None:
    named = {code for code in code_on(page) if FILE.fullmatch(code)}
    plain = {name for name in named if "/" in name or (APP / name).exists()}

    assert [n for n in sorted(plain) if not ((APP / n).exists() or (ROOT / n).exists())] == []
