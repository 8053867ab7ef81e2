"""The log of the service says what is wrong with the database, without a traceback."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.refusing_postgres import refusing_postgres
from tests.service import WorldClock, clock, message, running, settings_for

__all__ = ["clock"]


@pytest.mark.parametrize(
    ("code", "said"), [("28P01", "user and password of DATABASE_URL"), ("3D000", "does not exist")]
)
async def test_a_start_says_what_is_wrong_with_the_database_url(
    tmp_path: Path, clock: WorldClock, code: str, said: str
) -> None:
    with refusing_postgres(code, "no") as url, capture_logs() as logs:
        async with running(settings_for(url, tmp_path), clock) as service:
            answer = await service.push(message(clock))

    reasons = {line["event"]: line["reason"] for line in logs if "reason" in line}
    assert answer.status_code == 200  # it is spooled
    assert said in reasons["rules.not_loaded"]
    assert [line for line in logs if "exc_info" in line] == []
