"""`make audit` with a pip-audit of the test: a fault, none, and no advisories."""

import sys

import pytest

from tools.audit import audit

TRACEBACK = """Traceback (most recent call last):
  File "adapters.py", line 729, in send
requests.exceptions.ConnectionError: HTTPSConnectionPool(host='a.example'): Max retries exceeded
"""
NOT_FOUND = "ERROR:pip_audit._cli:attrs: Dependency not found on PyPI and could not be audited\n"


def pip_audit(status: int, *, output: str = "", errors: str = "") -> list[str]:
    """Return a command that writes and ends as pip-audit would."""
    program = f"import sys; print({output!r}, end=''); print({errors!r}, end='', file=sys.stderr)"
    return [sys.executable, "-c", f"{program}; sys.exit({status})"]


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (TRACEBACK, "host='a.example'): Max retries exceeded"),
        (NOT_FOUND, "(attrs: Dependency not found on PyPI and could not be audited)"),
        ("", "(no reason was given)"),
    ],
    ids=["no internet", "a mirror without advisories", "nothing"],
)
def test_one_sentence_says_that_nothing_was_audited(
    capfd: pytest.CaptureFixture[str], errors: str, reason: str
) -> None:
    assert audit(pip_audit(2, errors=errors)) == 1

    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("make audit: nothing was audited, since ")
    assert reason in said
    assert said.endswith("run it where the internet can be reached.\n")


def test_the_faults_that_were_found_are_shown(capfd: pytest.CaptureFixture[str]) -> None:
    table = "Name  Version ID\nattrs 1.0     PYSEC-1\n"

    assert audit(pip_audit(1, output=table, errors="Found 1 known vulnerability\n")) == 1

    shown = capfd.readouterr()
    assert shown.out == table
    assert shown.err == "Found 1 known vulnerability\n"


def test_the_status_is_zero_if_there_is_none(capfd: pytest.CaptureFixture[str]) -> None:
    assert audit(pip_audit(0, errors="No known vulnerabilities found\n")) == 0

    assert capfd.readouterr().err == "No known vulnerabilities found\n"
