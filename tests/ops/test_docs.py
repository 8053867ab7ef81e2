"""The OpenAPI page works without the internet, and the framework tells nobody of requests."""

import asyncio
import re
import threading

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.ops.standins import client_of, make_app
from tests.waiting import PATIENCE_SECONDS


async def test_the_page_names_no_other_host_and_every_asset_is_served() -> None:
    async with client_of(make_app()) as client:
        page = (await client.get("/docs")).text
        addresses = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page)
        answers = {address: await client.get(address) for address in addresses}

    assert not re.search(r"https?:|[\"']//", page)
    assert "/openapi.json" in answers
    assert any(address.endswith(".js") for address in answers)
    assert any(address.endswith(".css") for address in answers)
    assert {answer.status_code for answer in answers.values()} == {200}


async def test_the_stylesheet_loads_nothing_from_elsewhere() -> None:
    async with client_of(make_app()) as client:
        page = (await client.get("/docs")).text
        (stylesheet,) = re.findall(r'href="([^"]+\.css)"', page)
        css = (await client.get(stylesheet)).text

    assert not re.search(r"@import|url\(\s*[\"']?(?:https?:)?//", css)


async def test_health_and_metrics_are_described() -> None:
    async with client_of(make_app()) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]

    assert paths.keys() >= {"/livez", "/readyz", "/metrics"}
    assert "503" in paths["/readyz"]["get"]["responses"]


async def test_the_framework_records_no_request_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    # As a host does that watches every program in it.
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)

    async with client_of(make_app()) as client:
        answer = await client.get("/livez?signature=secret")

    assert answer.status_code == 200
    assert exporter.get_finished_spans() == ()


async def test_other_requests_are_answered_while_the_document_is_made() -> None:
    app = make_app()
    others_answered = threading.Event()

    def openapi() -> dict[str, bool]:
        return {"in_time": others_answered.wait(PATIENCE_SECONDS)}

    app.openapi = openapi  # type: ignore[method-assign]
    async with client_of(app) as client:
        asking = asyncio.create_task(client.get("/openapi.json"))
        await asyncio.sleep(0)
        assert (await client.get("/livez")).status_code == 200
        others_answered.set()
        answer = await asking

    assert answer.json() == {"in_time": True}
