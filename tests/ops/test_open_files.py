"""The limit of open files, in a process of its own."""

import subprocess
import sys

import pytest

CODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
from app.ops.open_files import connection_limit
print(connection_limit(int(sys.argv[3])), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "connections", "files"),
    [
        (256, 4096, 1000, 1000, 1128),
        (256, 1000, 1000, 872, 1000),
        (256, 256, 2500, 128, 256),
        (4096, 4096, 1000, 1000, 4096),
        (100, 100, 2500, 50, 100),
    ],
)
def test_connections_stay_below_the_limit_of_open_files(
    soft: int, hard: int, wanted: int, connections: int, files: int
) -> None:
    arguments = [str(number) for number in (soft, hard, wanted)]
    ended = subprocess.run(
        [sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True
    )

    assert ended.stdout.splitlines()[-1] == f"{connections} {files}"
    assert ("connections.limited_by_files" in ended.stdout) == (connections < wanted)
