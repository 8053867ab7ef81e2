"""The package as it is installed has every template, file and catalogue of the console."""

import asyncio
import shutil
import subprocess
import sys
import sysconfig
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.console.hostile import fill
from tests.console.pages import PAGES
from tests.service import ACCOUNT, APPID, Service

ROOT = Path(__file__).resolve().parents[2]
BUILT_FROM = ("app", "migrations", "simulator", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel in it; dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), "."]
    subprocess.run([*pip, *build], cwd=source, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True)
    python = folder / "env" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    install = ["--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *install], check=True)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    # A path alone: what is installed there for editing is not looked for.
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


async def test_the_installed_console_opens_every_page(
    service: Service, installed: Path, database_url: str, tmp_path: Path
) -> None:
    filled = await fill(service)
    paths = {page.path for page in PAGES if page.prepare is None} | set(filled.values())
    assert {page.template for page in PAGES} == filled.keys()
    environment = {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(tmp_path),
        "WECHAT_APPID": APPID,
        "WECHAT_APPSECRET": ACCOUNT.secret,
        "WECHAT_TOKEN": ACCOUNT.token,
        "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key,
    }
    # Isolated: neither the folder of the program nor PYTHONPATH is looked at.
    command = [str(installed), "-I", str(Path(__file__).with_name("open_installed.py"))]
    program = await asyncio.create_subprocess_exec(
        *command,
        *sorted(paths),
        cwd=tmp_path,
        env=environment,
        stdout=PIPE,
        stderr=PIPE,
    )
    said, errors = await program.communicate()

    assert program.returncode == 0, errors.decode()
    folder, files = said.decode().split()[-2:]
    assert folder.startswith(str(installed.parents[1]))
    assert int(files) > 0
