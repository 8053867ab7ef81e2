"""The browser of the tests: Chromium as the system's package manager installs it."""

import os
import shutil
from typing import Final

CHROMIUM: Final = shutil.which("chromium") or "/usr/bin/chromium"
NO_BROWSER: Final = f"{CHROMIUM} is not installed"


def is_installed() -> bool:
    """Tell whether there is a browser on this machine."""
    return os.access(CHROMIUM, os.X_OK)
