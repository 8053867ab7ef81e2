"""The job that carries an import on: killed, twice at once, too often, and what the sweep does."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from app.access.actor import Actor, ActorKind
from app.rules.importing import import_document as importing
from app.rules.importing import import_store, plan
from app.rules.importing.import_store import EXPIRES_AFTER
from app.rules.importing.models import ImportState
from app.rules.importing.progress import CountedBytes, Progress, Stopped
from app.rules.importing.sweep import KEPT_FOR
from app.rules.importing.work_store import MAX_TRIES
from app.worker import Jobs
from tests.console.made_imports import begun, document, stored, work
from tests.service import (
    Service,
    WorldClock,
    clock,
    column,
    jobs,
    rows,
    service,
    settings,
    text_reply,
    wechat,
)
from tests.waiting import eventually

__all__ = ["clock", "jobs", "service", "settings", "wechat"]

IMPORTED = "SELECT count(*) FROM audit_log WHERE action = 'rules.imported'"
PARTS = "SELECT count(*) FROM rule_import_parts"
EDITOR = Actor(ActorKind.OPERATOR, "小李", "192.0.2.1")


async def names(service: Service) -> list[str]:
    return [rule["name"] for rule in (await service.read("rules"))["items"]]


async def asked_for(service: Service, *rules: str) -> UUID:
    """Return an import that waits for a worker to make the changes of its preview."""
    import_id = await begun(service, document(*rules))
    await work(service, import_id)
    version = (await stored(service, import_id)).version
    assert version is not None
    async with service.app.state.database.sessions.begin() as session:
        assert await import_store.let_import(session, import_id, EDITOR, version)
    return import_id


async def test_a_worker_that_is_killed_before_the_commit_has_changed_nothing(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.add_rule(text_reply(), name="Old")
    import_id = await asked_for(service, "A", "B")
    apply = plan.apply

    async def killed(*arguments: Any) -> None:  # noqa: ANN401 - whatever `apply` takes
        await apply(*arguments)
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(plan, "apply", killed)
        with pytest.raises(ConnectionResetError):
            await work(service, import_id)
    unchanged = await names(service)
    await connection.execute("DELETE FROM pgqueuer")
    await jobs.sweep()
    await jobs.sweep()  # with a job in the queue it adds no other one
    payloads = await column(
        connection, "SELECT payload FROM pgqueuer WHERE entrypoint = 'rules.import'"
    )
    for payload in payloads:
        await jobs.import_rules(orjson.loads(payload))
    await work(service, import_id)  # a worker that died before its job was taken off the queue

    assert unchanged == ["Old"]
    assert len(payloads) == 1
    assert await names(service) == ["A", "B"]
    assert await column(connection, IMPORTED) == [1]
    assert await column(connection, PARTS) == [0]


async def test_two_workers_at_once_import_once(
    service: Service, connection: asyncpg.Connection
) -> None:
    import_id = await asked_for(service, "A", "B")

    await asyncio.gather(*(work(service, import_id) for _ in range(3)))

    assert (await stored(service, import_id)).state is ImportState.DONE
    assert await column(connection, IMPORTED) == [1]
    assert await column(connection, "SELECT max(revision) FROM rule_revisions") == [1]


async def test_two_workers_at_once_make_one_preview(service: Service) -> None:
    import_id = await begun(service, document("A"))

    await asyncio.gather(*(work(service, import_id) for _ in range(3)))

    found = await stored(service, import_id)
    assert (found.state, found.added) == (ImportState.PREVIEWED, 1)


async def test_what_was_given_up_meanwhile_is_not_imported(
    service: Service, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await asked_for(service, "A")
    apply = plan.apply

    async def slow(*arguments: Any) -> None:  # noqa: ANN401 - whatever `apply` takes
        await apply(*arguments)
        await connection.execute("UPDATE rule_imports SET state = 'failed', ended_at = now()")

    monkeypatch.setattr(plan, "apply", slow)
    await work(service, import_id)

    assert (await stored(service, import_id)).state is ImportState.FAILED
    assert await names(service) == []
    assert await column(connection, IMPORTED) == [0]


async def test_a_document_with_which_workers_die_is_given_up(
    service: Service, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await begun(service, document("A"))

    def killed(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(importing, "read_rules", killed)
        for _ in range(MAX_TRIES):
            with pytest.raises(MemoryError):
                await work(service, import_id)
    still_open = (await stored(service, import_id)).state
    await work(service, import_id)

    found = await stored(service, import_id)
    assert still_open is ImportState.CHECKING
    assert (found.state, found.ended_at) == (ImportState.FAILED, service.clock.now())
    assert await column(connection, PARTS) == [0]


async def test_a_preview_that_nobody_imports_expires_and_a_row_is_kept_for_a_month(
    service: Service, jobs: Jobs, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    import_id = await begun(service, document("A"))
    await work(service, import_id)
    clock.advance(EXPIRES_AFTER)
    await jobs.sweep()
    kept = (await stored(service, import_id)).state
    clock.advance(timedelta(seconds=1))
    await jobs.sweep()
    expired = await stored(service, import_id)
    parts = await column(connection, PARTS)
    clock.advance(KEPT_FOR)
    await jobs.sweep()

    assert kept is ImportState.PREVIEWED
    assert (expired.state, expired.added) == (ImportState.EXPIRED, 1)
    assert parts == [0]
    assert await column(connection, "SELECT count(*) FROM rule_imports") == [0]


@pytest.mark.parametrize(
    "content",
    [
        b'{"rules": [{"name": "a", "\\u0000": 1}]}',
        b'{"rules": [{"name": "a", "\\ud800": 1}]}',
        b'{"rules": [{"name": "\\u0000", "trigger": {"on": "\\ud800"}, "replies": []}]}',
        b'{"\\u0000": []}',
    ],
)
async def test_what_the_database_takes_no_text_of_is_refused_as_anything_else(
    service: Service, content: bytes
) -> None:
    import_id = await begun(service, content)

    await work(service, import_id)

    found = await stored(service, import_id)
    assert found.state is ImportState.REFUSED
    assert found.problems


async def test_how_far_it_is_can_be_read_while_the_rules_are_written(
    service: Service, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PROGRESS_SECONDS", 0.01)
    import_id = await asked_for(service, "A", "B", "C")
    apply = plan.apply

    async def watched(*arguments: Any) -> None:  # noqa: ANN401 - whatever `apply` takes
        await apply(*arguments)

        async def is_shown() -> bool:
            found = await rows(connection, "SELECT step, done, total FROM rule_imports")
            return found == [{"step": "writing", "done": 3, "total": 3}]

        await eventually(is_shown)
        assert await column(connection, "SELECT count(*) FROM rules") == [0]

    monkeypatch.setattr(plan, "apply", watched)
    await work(service, import_id)

    assert await names(service) == ["A", "B", "C"]


async def test_a_worker_that_stops_leaves_the_import_to_another_one(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await begun(service, document("A"))
    reading, progress = asyncio.Event(), list[Progress]()
    loop = asyncio.get_running_loop()

    class Endless(CountedBytes):
        """A document that is read for ever."""

        def __init__(self, stream: Any, found: Progress) -> None:  # noqa: ANN401 - of the test
            super().__init__(stream, found)
            progress.append(found)

        def read(self, size: int, /) -> bytes:
            super().read(0)
            loop.call_soon_threadsafe(reading.set)
            return b" " * size

    with monkeypatch.context() as patched:
        patched.setattr(importing, "CountedBytes", Endless)
        task = asyncio.create_task(work(service, import_id))
        await reading.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    with pytest.raises(Stopped):
        progress[0].add(1)

    await work(service, import_id)
    assert (await stored(service, import_id)).state is ImportState.PREVIEWED


async def test_a_preview_is_not_taken_for_a_job(service: Service) -> None:
    import_id = await begun(service, document("A"))
    await work(service, import_id)
    before = await stored(service, import_id)

    await work(service, import_id)
    await work(service, UUID(int=0))

    after = await stored(service, import_id)
    assert (after.state, after.tries) == (before.state, before.tries)
