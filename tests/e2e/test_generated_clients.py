"""Clients that are generated from the OpenAPI document compile, and drive the service."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.clients.generators import HERE, NODE_MODULES, PYTHON
from tests.e2e.peer import APPID, person, texts
from tests.e2e.stack import ADMIN_TOKEN, Stack
from tools.write_openapi import FILE

SECONDS = 120


def run(command: Sequence[str | Path], folder: Path, **environment: str) -> str:
    """Run a program; return what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    return printed


async def arguments(stack: Stack, group: str) -> list[str]:
    """Let a follower get a reply; return the arguments of a program that drives the service."""
    await stack.peer.push_all(texts(stack.urls, 1, group=group))
    await stack.settled(group)
    return [stack.urls[0], ADMIN_TOKEN, APPID, person(0, group)]


@pytest.mark.skipif(not PYTHON.exists(), reason="`make clients` has not been run")
async def test_a_python_client_drives_the_service(stack: Stack, tmp_path: Path) -> None:
    generated = tmp_path / "oa_bridge_client"
    generate: list[str | Path] = [
        PYTHON.parent / "openapi-python-client",
        "generate",
        "--meta",
        "none",
    ]
    config: list[str | Path] = ["--config", HERE / "config.yaml"]
    printed = run([*generate, "--path", FILE, "--output-path", generated, *config], tmp_path)

    # It leaves out what it does not understand, and says so.
    assert not any(word in printed for word in ("WARNING", "Unable", "will not", "omitted"))
    program: list[str | Path] = [PYTHON, HERE / "drive.py"]
    run([*program, *await arguments(stack, "python")], tmp_path, PYTHONPATH=str(tmp_path))


@pytest.mark.skipif(not NODE_MODULES.exists(), reason="`make clients` has not found npm")
async def test_a_typescript_client_drives_the_service(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    for name in ("package.json", "tsconfig.json", "drive.ts"):
        shutil.copy(HERE / name, tmp_path)
    programs = NODE_MODULES / ".bin"
    run([programs / "openapi-typescript", FILE, "--output", "schema.ts"], tmp_path)
    run([programs / "tsc"], tmp_path)

    run(["node", "drive.js", *await arguments(stack, "node")], tmp_path)
