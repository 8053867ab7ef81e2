"""One id leads from the push over the message sent to the webhook, in logs and in spans."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.responses import Response
from structlog.testing import capture_logs

from app import tracing
from app.ops.logging import add_trace_id
from app.ops.otel_recorder import OtelRecorder
from app.settings import Settings
from app.wechat.api import WeChatApi
from app.wechat.errors import TransportError
from app.worker import Jobs
from tests.service import OPENID, Service, WeChat, card, column, event
from tests.waiting import eventually
from tests.webhooks.makers import hook
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_worker import working

TITLE = "a title that no trace may hold"
TOKEN = "WECHATS-ACCESS-TOKEN"


SENT: Final = "wechat /cgi-bin/message/custom/send"


@pytest.fixture
def spans(wechat: WeChat, settings: Settings) -> Iterator[InMemorySpanExporter]:
    """What is recorded while the test runs."""
    exporter = InMemorySpanExporter()
    recorder = OtelRecorder(SimpleSpanProcessor(exporter), settings.wechat_api_base_url)
    tracing.record_with(recorder)
    # Calls of the simulator leave by no socket, so that they are recorded as those of the network.
    HTTPXClientInstrumentor.instrument_client(
        wechat.client,
        tracer_provider=recorder._provider,
        request_hook=recorder._hide_secrets,
    )
    yield exporter
    tracing.record_with(None)
    recorder.close()


async def followed(
    service: Service,
    jobs: Jobs,
    connection: asyncpg.Connection,
    lines: Sequence[Mapping[str, Any]],
    *events: str,
) -> UUID:
    """Let somebody follow; return the id of the callback once each of `events` is logged."""
    await service.add_rule(card(TITLE), trigger={"on": "subscribe"})

    async def all_logged() -> bool:
        return {*events} <= {line["event"] for line in lines}

    async with working(jobs):
        await service.push(event(service.clock, "subscribe"))
        await eventually(all_logged)
    (callback,) = await column(connection, "SELECT id FROM callbacks")
    found: UUID = callback
    return found


async def test_every_line_that_a_callback_causes_has_its_id(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    receiver: Receiver,
    connection: asyncpg.Connection,
) -> None:
    await hook(service, receiver, types=["follow.created"])
    receiver.always = Response(status_code=410)
    wechat.strike("/cgi-bin/message/custom/send", drop="after", count=1)

    caused = ("replies.not_sent", "feed.not_delivered")
    with capture_logs([add_trace_id]) as lines:
        callback = await followed(service, jobs, connection, lines, *caused)

    ids = {line["event"]: line["trace_id"] for line in lines if line["event"] in caused}
    assert ids == dict.fromkeys(caused, str(callback))


async def test_the_spans_of_a_callback_are_one_trace_without_text_and_openid(
    service: Service,
    jobs: Jobs,
    wechat: WeChat,
    receiver: Receiver,
    connection: asyncpg.Connection,
    spans: InMemorySpanExporter,
) -> None:
    await hook(service, receiver, types=["follow.created"])
    await service.add_rule(card(TITLE), trigger={"on": "subscribe"})

    async def ended() -> bool:
        names = {span.name for span in spans.get_finished_spans()}
        return {"callback", "inbox.flush", "replies.deliver", "webhook", SENT} <= names

    wechat.open_window()
    async with working(jobs):
        await service.push(event(service.clock, "subscribe"))
        await eventually(ended)

    (callback,) = await column(connection, "SELECT id FROM callbacks")
    found = spans.get_finished_spans()
    of_callback = {span.name: span for span in found if trace_id(span) == callback}
    first = of_callback["callback"].context
    below = [of_callback[name].parent for name in ("inbox.flush", "replies.deliver", "webhook")]
    assert first is not None
    assert [parent and parent.span_id for parent in below] == [first.span_id] * 3
    assert of_callback["POST"].parent == of_callback["webhook"].context
    assert of_callback[SENT].parent == of_callback["replies.deliver"].context
    everything = json.dumps([json.loads(span.to_json()) for span in found])
    assert TITLE not in everything
    assert OPENID not in everything
    assert "/hooks" not in everything


async def test_a_call_of_wechat_is_recorded_without_the_access_token(receiver: Receiver) -> None:
    exporter = InMemorySpanExporter()
    origin = receiver.url.removesuffix("/hooks")
    recorder = OtelRecorder(SimpleSpanProcessor(exporter), origin)
    try:
        for base_url in (origin, "http://127.0.0.1:1"):
            api = WeChatApi(base_url, timedelta(seconds=10))
            with pytest.raises(TransportError):
                await api.custom_send(TOKEN, {})
            await api.close()
        async with httpx.AsyncClient() as client:
            await client.post(f"{origin}/cgi-bin/x?access_token={TOKEN}")
    finally:
        recorder.close()

    answered, failed, of_httpx = exporter.get_finished_spans()
    assert [answered.name, of_httpx.name] == [SENT, "wechat /cgi-bin/x"]
    assert f"{origin}/cgi-bin/message/custom/send" in answered.to_json()
    assert not failed.status.is_ok
    assert TOKEN not in answered.to_json() + failed.to_json() + of_httpx.to_json()


def trace_id(span: ReadableSpan) -> UUID | None:
    return span.context and UUID(int=span.context.trace_id)
