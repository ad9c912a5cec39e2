"""Logs: one JSON object a line, in UTC, with the request id."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from typing import Any

import orjson
import structlog

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def configure(*, level: int = logging.INFO) -> None:
    """Send every log line of the process to stderr as JSON."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(_dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(_dumps),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))


def _dumps(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def log() -> structlog.typing.FilteringBoundLogger:
    """Return the logger of the server."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger("wangge")
    return logger


def request_id() -> str:
    """Return the id of the request being answered, empty outside one."""
    return _request_id.get()


def start_request(id_: str) -> None:
    """Name the request being answered, for its log lines and its problems."""
    _request_id.set(id_)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=id_)
