"""The recorder of spans. No span holds the text of a message, an OpenID or a secret.

The id of a trace is that of `app.tracing`, and the lower half of it is the id of the first span.
So a job finds its trace again by the callback's id alone, whatever lies between.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from aiohttp import TraceRequestStartParams
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor, RequestInfo
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, Status, StatusCode, TraceFlags
from yarl import URL

from app.tracing import Attributes

CLOSE_SECONDS: Final = 1.0
_SPAN_ID: Final = (1 << 64) - 1
# The older and the newer name of the same attribute; which one is set is a matter of OpenTelemetry.
_URL_ATTRIBUTES: Final = ("http.url", "url.full")


class _Ids(IdGenerator):
    """Random ids, but for the first span of a trace that has its id already."""

    def __init__(self) -> None:
        self._random = RandomIdGenerator()
        self.first: UUID | None = None

    def generate_trace_id(self) -> int:
        return self._random.generate_trace_id() if self.first is None else self.first.int

    def generate_span_id(self) -> int:
        return self._random.generate_span_id() if self.first is None else self.first.int & _SPAN_ID


class OtelRecorder:
    """Records spans, those of HTTP calls included.

    wechat_url: the base of WeChat's API, whose paths are no secret. Every trace is recorded; a
    collector can choose among them.
    """

    def __init__(self, processor: SpanProcessor, wechat_url: str) -> None:
        self._ids = _Ids()
        self._wechat_host = urlsplit(wechat_url).netloc
        # Events of spans are exceptions with their text, which may quote what a follower wrote.
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource.create({SERVICE_NAME: "oa-bridge"}),
            id_generator=self._ids,
            span_limits=SpanLimits(max_events=0),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("oa-bridge")
        # Nobody outside is told the ids.
        set_global_textmap(CompositePropagator([]))
        self._httpx = HTTPXClientInstrumentor()
        self._httpx.instrument(
            tracer_provider=self._provider, async_request_hook=self._hide_secrets
        )
        self._aiohttp = AioHttpClientInstrumentor()
        self._aiohttp.instrument(
            tracer_provider=self._provider, url_filter=self._address, request_hook=self._name
        )

    def first(
        self, name: str, trace_id: UUID, attributes: Attributes
    ) -> AbstractContextManager[object]:
        """Return a block that is recorded as the first span of its trace."""
        self._ids.first = trace_id
        try:
            span = self._tracer.start_span(name, Context(), attributes=attributes)
        finally:
            self._ids.first = None
        return _under(span)

    def further(
        self, name: str, trace_id: UUID, attributes: Attributes
    ) -> AbstractContextManager[object]:
        """Return a block that is recorded below the first span of the trace."""
        return _under(self._tracer.start_span(name, _below_first(trace_id), attributes=attributes))

    def ended(
        self, name: str, trace_id: UUID, began: int, ended: int, attributes: Attributes
    ) -> None:
        """Record what is over, below the first span of the trace."""
        span = self._tracer.start_span(
            name, _below_first(trace_id), attributes=attributes, start_time=began
        )
        span.end(ended)

    def note(self, attributes: Attributes) -> None:
        """Add attributes to the span that is under way."""
        trace.get_current_span().set_attributes({**attributes})

    def close(self) -> None:
        """Send what is recorded. A collector that does not answer holds nobody up."""
        self._httpx.uninstrument()
        self._aiohttp.uninstrument()
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    async def _hide_secrets(self, span: Span, request: RequestInfo) -> None:
        """Rename a call of WeChat and hide the secrets of a URL, for httpx."""
        url = urlsplit(str(request.url))
        self._rename(span, url)
        shown: Mapping[str, Any] = getattr(span, "attributes", None) or {}
        for name in _URL_ATTRIBUTES:
            if name in shown:
                span.set_attribute(name, self._shown(url))

    def _name(self, span: Span, request: TraceRequestStartParams) -> None:
        """Rename a call of WeChat, for aiohttp."""
        self._rename(span, urlsplit(str(request.url)))

    def _address(self, url: URL) -> str:
        """Return a URL without its secrets, for aiohttp."""
        return self._shown(urlsplit(str(url)))

    def _rename(self, span: Span, url: SplitResult) -> None:
        if self._is_wechat(url):
            span.update_name(f"wechat {url.path}")

    def _shown(self, url: SplitResult) -> str:
        """Leave out the query, which has WeChat's access token, and paths of other systems."""
        address = f"{url.scheme}://{url.netloc.rpartition('@')[2]}"
        return address + url.path if self._is_wechat(url) else address

    def _is_wechat(self, url: SplitResult) -> bool:
        return url.netloc == self._wechat_host


def _below_first(trace_id: UUID) -> Context:
    first = SpanContext(
        trace_id.int, trace_id.int & _SPAN_ID, is_remote=True, trace_flags=TraceFlags(1)
    )
    return trace.set_span_in_context(NonRecordingSpan(first), Context())


@contextmanager
def _under(span: Span) -> Iterator[None]:
    """Make the span the current one of the block. Of an error only the type is recorded."""
    try:
        with trace.use_span(span, record_exception=False, set_status_on_exception=False):
            yield
    except BaseException as error:
        span.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        span.end()
