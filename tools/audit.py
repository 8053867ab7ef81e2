"""Runs pip-audit for `make audit`, and says in one sentence if it could audit nothing.

Where it gets no advisories, pip-audit itself ends with a traceback, and with the same status as
after a fault that it found. This file needs no package.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import Final

FAILED: Final = 1
MAX_REASON: Final = 300
SENTENCE: Final = (
    "make audit: nothing was audited, since the advisories of the package index can't be read "
    "({reason}); run it where the internet can be reached."
)


def audit(command: Sequence[str]) -> int:
    """Run pip-audit as `command` says; return its status: 0 only without a known fault."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the Makefile's
    # It prints a table of the faults, or that there are none.
    if done.returncode == 0 or done.stdout.strip():
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        return done.returncode
    print(SENTENCE.format(reason=_reason(done.stderr)), file=sys.stderr)
    return FAILED


def _reason(errors: str) -> str:
    """Return the last line of a traceback or of a log, without the name of the logger."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    if not lines:
        return "no reason was given"
    return lines[-1].removeprefix("ERROR:pip_audit._cli:")[:MAX_REASON]


if __name__ == "__main__":
    sys.exit(audit(sys.argv[1:]))
