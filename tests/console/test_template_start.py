"""The templates are compiled beside the application, not before the first push."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from jinja2 import Environment

from app.console import template_environment
from app.console.messages import LANGUAGES
from tests.service import WorldClock, message, running, settings_for

ZONE = "Asia/Shanghai"
# Only a start that waits for the templates takes as long.
TOO_LONG_SECONDS = 20


async def test_a_push_is_answered_while_the_templates_are_compiled(
    database_url: str, tmp_path: Path, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Event()
    real = template_environment.environment

    def slow(language: str, zone: str) -> object:
        assert answered.wait(TOO_LONG_SECONDS), "the start waits for the templates"
        return real(language, zone)

    monkeypatch.setattr(template_environment, "environment", slow)
    try:
        async with running(settings_for(database_url, tmp_path), clock) as service:
            answer = await service.push(message(clock))
            answered.set()
    finally:
        answered.set()

    assert answer.status_code == 200


async def test_every_template_is_compiled_in_each_language() -> None:
    await template_environment.compile_templates(ZONE)

    for language in LANGUAGES:
        pages = template_environment.environment(language, ZONE)
        assert pages.cache is not None
        assert len(pages.cache) >= len(pages.list_templates())


def test_those_who_ask_at_once_get_the_same_templates() -> None:
    together = Barrier(4)

    def ask(_: int) -> Environment:
        together.wait()
        return template_environment.environment("en", "Pacific/Chatham")

    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(ask, range(4)))

    assert len(found) == 1
