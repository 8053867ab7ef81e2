"""Renews the browser files of other projects that the console serves.

`.venv/bin/python -m tools.update_browser_files` fetches the versions below with `npm pack`, copies
their files with their licences to `app/console/static/vendor/`, and writes `manifest.json`, which a
test holds against the files. Nothing of this runs when the service is installed.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

VENDOR: Final = Path(__file__).resolve().parents[1] / "app" / "console" / "static" / "vendor"
MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Package:
    """A package of npm. files: what is taken of it, as paths inside the package."""

    name: str
    version: str
    licence: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VendoredFile:
    """A line of the manifest. sha256: of the content, in hex."""

    file: str
    name: str
    version: str
    licence: str
    sha256: str


PACKAGES: Final = (
    Package("htmx.org", "4.0.1", "0BSD", ("dist/htmx.min.js", "dist/ext/hx-sse.min.js")),
    Package("bootstrap", "5.3.9", "MIT", ("dist/css/bootstrap.min.css",)),
)


def update() -> list[VendoredFile]:
    """Fetch every package and replace the content of the folder. Returns the manifest."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    VENDOR.mkdir(parents=True)
    files = [line for package in PACKAGES for line in _unpack(package)]
    text = json.dumps([asdict(line) for line in files], indent=2)
    (VENDOR / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
    return files


def _unpack(package: Package) -> list[VendoredFile]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = f"{package.name}@{package.version}"
        command = ["npm", "pack", "--silent", wanted]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603  # constants
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        taken = {Path(file).name: file for file in package.files}
        taken[f"{package.name}.LICENSE.txt"] = "LICENSE"
        return [
            _take(package, folder / "package" / source, target) for target, source in taken.items()
        ]


def _take(package: Package, source: Path, target: str) -> VendoredFile:
    content = source.read_bytes()
    (VENDOR / target).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return VendoredFile(target, package.name, package.version, package.licence, digest)


if __name__ == "__main__":
    for line in update():
        print(f"{line.file}: {line.name} {line.version}, {line.licence}")
