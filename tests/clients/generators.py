"""Where the generators of clients are, which `make clients` installs."""

from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
INSTALLED: Final = HERE.parents[1] / ".programs" / "clients"
PYTHON: Final = INSTALLED / "python" / "bin" / "python"
NODE_MODULES: Final = INSTALLED / "node" / "node_modules"


def missing() -> list[str]:
    """Return a sentence for each client that can't be tested here."""
    return [
        f"The generated {language} client was not tested: {fix}."
        for language, sign, fix in (
            ("Python", PYTHON, "run `make clients`"),
            ("TypeScript", NODE_MODULES, "install node and npm, and run `make clients`"),
        )
        if not sign.exists()
    ]
