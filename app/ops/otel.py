"""Sends traces to a collector of OpenTelemetry, with what the extra `otel` installs.

The exporter reads the variables of OpenTelemetry itself: OTEL_EXPORTER_OTLP_ENDPOINT,
OTEL_SERVICE_NAME and so on.
"""

from importlib.util import find_spec
from typing import Final

from app import tracing
from app.settings import Settings, SettingsError

NOT_INSTALLED: Final = (
    "TRACING: is on, but OpenTelemetry is not installed: run pip install 'oa-bridge[otel]', or set "
    "TRACING=off"
)


def require_otel(settings: Settings) -> None:
    """Raise SettingsError if traces are wanted and the extra is not installed."""
    if settings.tracing == "on" and not _is_installed():
        raise SettingsError([NOT_INSTALLED])


def record_traces(settings: Settings) -> None:
    """Send the traces of this process to the collector, if TRACING is on."""
    if settings.tracing == "off":
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - an extra

    from app.ops.otel_recorder import OtelRecorder  # noqa: PLC0415 - imports the extra

    processor = BatchSpanProcessor(OTLPSpanExporter())
    tracing.record_with(OtelRecorder(processor, settings.wechat_api_base_url))


def _is_installed() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter") is not None
    except ModuleNotFoundError:  # of a package above it
        return False
