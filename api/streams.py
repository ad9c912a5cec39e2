"""Long answers as lines of JSON: how far it is, and at the end what came out; who leaves, stops the work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.problems import answer, unexpected
from gis.errors import GridError

NDJSON: Final = "application/x-ndjson"
Report = Callable[[float, str], None]


class Left(Exception):
    """The client has gone: nobody waits for the rest."""


def streamed(work: Callable[[Report], Mapping[str, Any]]) -> StreamingResponse:
    """Return an answer of lines: ``{"share", "message"}`` while `work` reports, then its result, or ``{"problem"}``."""
    return StreamingResponse(_lines(work), media_type=NDJSON, headers={"Cache-Control": "no-store"})


async def _lines(work: Callable[[Report], Mapping[str, Any]]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    reports: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
    left = threading.Event()

    def report(share: float, message: str) -> None:
        if left.is_set():
            raise Left
        loop.call_soon_threadsafe(reports.put_nowait, (share, message))

    async def run() -> Mapping[str, Any]:
        try:
            return await run_in_threadpool(work, report)
        except Left:
            return {}
        except GridError as error:
            return {"problem": orjson.loads(bytes(answer(error).body))}
        except Exception as error:  # noqa: BLE001 - the status is sent already, so the line must say it
            return {"problem": orjson.loads(bytes(unexpected(error).body))}
        finally:
            reports.put_nowait(None)

    task = asyncio.ensure_future(run())
    try:
        while (told := await reports.get()) is not None:
            yield orjson.dumps({"share": round(told[0], 4), "message": told[1]}) + b"\n"
        yield orjson.dumps(await task) + b"\n"
    finally:
        left.set()
