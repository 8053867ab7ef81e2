"""What browsers load: hashed, kept for ever, small, and exactly what the manifest names."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from app.console.static_files import FOLDER, static_files, static_path
from tests.console.operator import Operator
from tools.update_browser_files import MANIFEST, PACKAGES, VENDOR

MAX_FIRST_VISIT_BYTES = 150 * 1024
LINK = re.compile(r'(?:src|href)="(/console/static/[^"]+)"')
IMPORT = re.compile(r'import "\./([\w.]+)";')


def test_the_manifest_names_every_file_with_its_hash_and_no_address() -> None:
    text = (VENDOR / MANIFEST).read_text(encoding="utf-8")
    lines = json.loads(text)
    files = {path.name: path for path in VENDOR.iterdir() if path.name != MANIFEST}

    assert {line["file"] for line in lines} == files.keys()
    for line in lines:
        assert set(line) == {"file", "name", "version", "licence", "sha256"}
        assert hashlib.sha256(files[line["file"]].read_bytes()).hexdigest() == line["sha256"]
    versions = {(line["name"], line["version"], line["licence"]) for line in lines}
    assert versions == {(one.name, one.version, one.licence) for one in PACKAGES}
    assert "://" not in text
    assert {f"{name}.LICENSE.txt" for name, _, _ in versions} <= files.keys()


def test_the_modules_import_files_that_exist() -> None:
    scripts = FOLDER / "js"
    imports = [name for path in scripts.glob("*.js") for name in IMPORT.findall(path.read_text())]

    assert imports
    assert [name for name in imports if not (scripts / name).exists()] == []


async def test_a_file_is_kept_for_ever_under_its_hash_and_not_under_another(
    owner: Operator,
) -> None:
    path = f"/console{static_path('console.css')}"
    right = await owner.http.get(path)
    other = await owner.http.get(path.replace(static_files().digest, "0" * 16))

    assert right.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert other.headers["Cache-Control"] == "no-store"
    assert right.content == other.content == (FOLDER / "console.css").read_bytes()
    assert right.headers["Vary"] == "Accept-Encoding"


async def test_a_browser_without_gzip_gets_the_file_as_it_is(owner: Operator) -> None:
    path = f"/console{static_path('icon.svg')}"
    plain = await owner.http.get(path, headers={"Accept-Encoding": "identity"})

    assert "Content-Encoding" not in plain.headers
    assert plain.content == (FOLDER / "icon.svg").read_bytes()


async def test_nothing_outside_the_folder_is_served(owner: Operator) -> None:
    digest = static_files().digest
    for name in ("../gate.py", "%2e%2e/gate.py", "/etc/passwd", "missing.js", ""):
        answer = await owner.http.get(f"/console/static/{digest}/{name}")
        assert answer.status_code == 404, name


@pytest.mark.parametrize("path", ["/today", "/messages", "/rules/new"])
async def test_a_first_visit_is_small(owner: Operator, path: str) -> None:
    """The page, and all that it loads, compressed where the service compresses."""
    page = await owner.get(path)
    loaded = set(LINK.findall(page.text))
    modules = (FOLDER / "js").glob("*.js")
    loaded |= {f"/console{static_path(f'js/{path.name}')}" for path in modules}
    answers = {path: await owner.http.get(path) for path in loaded}
    sizes = {path: int(answer.headers["Content-Length"]) for path, answer in answers.items()}

    assert page.status_code == 200
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len(page.content) + sum(sizes.values()) <= MAX_FIRST_VISIT_BYTES, sizes


def test_the_compressed_file_is_the_file() -> None:
    for name, file in static_files().files.items():
        assert gzip.decompress(file.compressed) == Path(FOLDER / name).read_bytes()
