"""What a process writes to stdout: one JSON object a line, without secrets."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

START = """
import logging
import structlog
from app.ops.logging import configure
from tests.ops.standins import settings

configure(settings(log_level={level!r}))
log = structlog.get_logger("app.somewhere")
"""


def lines_of(code: str, level: str = "INFO") -> list[dict[str, Any]]:
    """Run `code` in a process of its own, and return what it logged."""
    done = subprocess.run(
        [sys.executable, "-c", START.format(level=level) + code],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_is_one_json_object_with_utc_time_level_and_logger() -> None:
    (line,) = lines_of('log.info("callback stored", appid="wx1", count=2, name="商城")')

    assert (
        line.items()
        >= {
            "event": "callback stored",
            "appid": "wx1",
            "count": 2,
            "name": "商城",
            "level": "info",
            "logger": "app.somewhere",
        }.items()
    )
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)


def test_the_standard_library_and_uvicorn_log_through_the_same_chain() -> None:
    plain, uvicorn = lines_of("""
logging.getLogger("pgqueuer").warning("job %s", "https://a/?access_token=T-1", extra={"token": "x"})
logging.getLogger("uvicorn.error").info("started")
""")

    assert plain["event"] == "job https://a/?access_token=***"
    assert (plain["token"], plain["level"], plain["logger"]) == ("***", "warning", "pgqueuer")
    assert (uvicorn["event"], uvicorn["logger"]) == ("started", "uvicorn.error")


def test_an_exception_is_logged_in_its_line_without_secrets() -> None:
    (line,) = lines_of("""
try:
    raise ValueError("GET https://a/?access_token=T-1&x=1")
except ValueError:
    log.exception("call failed")
""")

    assert "ValueError: GET https://a/?access_token=***&x=1" in line["exception"]
    assert "T-1" not in json.dumps(line)


def test_message_text_and_keys_are_masked() -> None:
    (line,) = lines_of('log.info("x", content="我爱你", body=b"raw", appsecret="S", key="K")')

    assert {line[name] for name in ("content", "body", "appsecret", "key")} == {"***"}


def test_lines_below_the_level_are_not_written() -> None:
    code = 'log.info("low"); log.warning("high"); logging.getLogger("x").info("low")'

    assert [line["event"] for line in lines_of(code, "WARNING")] == ["high"]


def test_urls_and_access_lines_are_not_logged_even_when_debugging() -> None:
    code = """
logging.getLogger("httpx").info("HTTP Request: GET https://a/")
logging.getLogger("httpcore.http11").debug("send_request_headers")
logging.getLogger("uvicorn.access").info("GET /callback/wx?signature=1")
log.debug("kept")
"""

    assert [line["event"] for line in lines_of(code, "DEBUG")] == ["kept"]


def test_no_message_of_the_database_driver_is_logged_in_any_way() -> None:
    lines = lines_of("""
import asyncio, asyncpg
from sqlalchemy.exc import DBAPIError

driver = asyncpg.DataError("invalid input for query argument $1: 'my diary'")
async def fails(): raise driver
async def run():
    task = asyncio.create_task(fails())
    await asyncio.wait({task})
    logging.getLogger("pgqueuer").error("Unhandled exception in task: %s", task, exc_info=driver)
    logging.getLogger("asyncio").error(f"never retrieved: {task!r}")
try:
    try:
        raise driver
    except asyncpg.DataError as error:
        raise DBAPIError("SELECT $1", None, error) from error
except DBAPIError as error:
    log.exception("failed")
    log.warning("failed", error=error, errors=[error])
    logging.getLogger("pgqueuer").exception("Exception while processing: %s", error)
try:
    try:
        raise driver
    except asyncpg.DataError:
        raise RuntimeError("because of my diary")
except RuntimeError:
    log.exception("failed")
log.error("failed", exc_info=ExceptionGroup("several", [driver]))
asyncio.run(run())
""")

    assert len(lines) >= 7
    assert "my diary" not in json.dumps(lines)
    assert "DBAPIError (message not logged)" in lines[0]["exception"]
    assert ", in <module>" in lines[0]["exception"], "the traceback itself is kept"
