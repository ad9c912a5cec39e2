"""A file made for one answer, and gone after it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from api.links import FILE_TYPES
from gis.errors import UnsupportedMedia


def known_ending(text: str) -> str:
    """Return the ending of a file that is written here; `UnsupportedMedia` lists them."""
    ending = text.lower()
    if ending not in FILE_TYPES:
        raise UnsupportedMedia(f"no files ending in '.{ending}' are written here; these are: {', '.join(FILE_TYPES)}")
    return ending


async def download(
    ending: str, write: Callable[[Path], Path], headers: Mapping[str, str] = MappingProxyType({})
) -> FileResponse:
    """Return the file that `write` puts into a folder of its own and names; the folder goes with the answer.

    Parameters
    ----------
    headers
        Of the answer besides; looked at when the file is written.
    """
    folder = Path(await run_in_threadpool(tempfile.mkdtemp, prefix="wangge-export-"))
    clear = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        path = await run_in_threadpool(write, folder)
    except BaseException:
        await clear()
        raise
    return FileResponse(
        path,
        media_type=FILE_TYPES[ending],
        filename=path.name,
        headers={"Cache-Control": "private, no-store", **headers},
        background=clear,
    )
