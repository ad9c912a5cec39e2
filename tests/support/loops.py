"""Run a coroutine to its end, also while Playwright's own loop is open in the main thread."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def run(story: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what `story` returns, from a loop of its own in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, story).result()
