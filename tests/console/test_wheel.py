"""The package as it is installed has every template, file and catalogue of the console."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.console.pages import PAGES

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


def test_the_installed_console_opens_every_page(
    installed: Path, database_url: str, tmp_path: Path
) -> None:
    program = Path(__file__).with_name("open_installed.py")
    # Isolated: neither the folder of the program nor PYTHONPATH is looked at.
    command = [str(installed), "-I", str(program), database_url, str(tmp_path)]
    paths = [page.path for page in PAGES if page.status == 200 and page.prepare is None]
    done = subprocess.run(
        [*command, *paths], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    folder, files = done.stdout.split()[-2:]
    assert folder.startswith(str(installed.parents[1]))
    assert int(files) > 0
