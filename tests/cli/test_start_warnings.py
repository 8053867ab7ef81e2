"""What is logged at start about secrets in clear and about a folder that others can reach."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.cli.folder import require_folder
from app.cli.start_warnings import warn
from app.settings import Settings
from tests.service import settings_for

NO_KEY, OPEN_FOLDER = "settings.secret_key_not_set", "settings.data_dir_open_to_others"
KEY = "a key of sixteen characters or more"


def warnings(settings: Settings, *, uses_data_dir: bool = True) -> list[Any]:
    with capture_logs() as lines:
        warn(settings, uses_data_dir=uses_data_dir)
    assert all(line["log_level"] == "warning" and line["fix"] for line in lines)
    return [line["event"] for line in lines]


@pytest.mark.parametrize(
    ("mode", "warned"),
    [(0o700, False), (0o770, False), (0o701, True), (0o702, True), (0o704, True), (0o755, True)],
)
def test_a_folder_that_others_can_reach_is_named(tmp_path: Path, mode: int, warned: bool) -> None:
    settings = settings_for("postgresql:///x", tmp_path, secret_key=KEY)
    tmp_path.chmod(mode)

    assert warnings(settings) == [OPEN_FOLDER] * warned
    assert warnings(settings, uses_data_dir=False) == []


def test_secrets_in_clear_are_named_until_there_is_a_key(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    assert warnings(settings_for("postgresql:///x", tmp_path)) == [NO_KEY]
    assert warnings(settings_for("postgresql:///x", tmp_path, secret_key=KEY)) == []


def test_a_folder_that_the_service_makes_is_not_open_to_others(tmp_path: Path) -> None:
    settings = settings_for("postgresql:///x", tmp_path, secret_key=KEY)
    made = settings.model_copy(update={"data_dir": tmp_path / "data"})

    require_folder(made.data_dir)

    assert warnings(made) == []
