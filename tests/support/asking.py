"""Read asynchronously in a test that is not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from gis.store.engine import Store

T = TypeVar("T")


def ask(store: Store, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run one read and give the pool back before the loop ends."""

    async def both() -> T:
        try:
            return await coroutine
        finally:
            await store.aclose()

    return asyncio.run(both())
