"""The built front end: the pages of the app and their files below ``/assets``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from api.deps import LanguageDep
from api.pages import render
from gis.errors import NotFound

DIST: Final = Path(__file__).parents[2] / "web" / "dist"
STATIC: Final = Path(__file__).parents[1] / "static"

router = APIRouter()


@router.api_route("/map", methods=["GET", "HEAD"])
@router.api_route("/hotspots", methods=["GET", "HEAD"])
@router.api_route("/print/hotspots", methods=["GET", "HEAD"])
@router.api_route("/coverage", methods=["GET", "HEAD"])
@router.api_route("/patrol", methods=["GET", "HEAD"])
@router.api_route("/patrol/route", methods=["GET", "HEAD"])
@router.api_route("/print/patrol", methods=["GET", "HEAD"])
@router.api_route("/edit", methods=["GET", "HEAD"])
@router.api_route("/edit/{plan:int}", methods=["GET", "HEAD"])
async def page(request: Request, language: LanguageDep) -> Response:
    """Return the app; which of its pages is shown, and the whole state of it, is read from the address by itself."""
    page = DIST / "index.html"
    if not page.is_file():
        return render(request, "unbuilt.html", language=language, status=503)
    return FileResponse(page, headers={"Cache-Control": "no-cache"})


@router.api_route("/assets/{name:path}", methods=["GET", "HEAD"])
async def asset(name: str) -> Response:
    """Return a file of the front end; its name holds the hash of its content."""
    return FileResponse(_file(DIST / "assets", name), headers={"Cache-Control": "public, max-age=31536000, immutable"})


@router.api_route("/static/{name:path}", methods=["GET", "HEAD"])
async def static(name: str) -> Response:
    """Return a file of the server's own pages."""
    return FileResponse(_file(STATIC, name), headers={"Cache-Control": "no-cache"})


@router.api_route("/favicon.svg", methods=["GET", "HEAD"])
@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def favicon() -> Response:
    """Return the sign of the server."""
    return FileResponse(STATIC / "favicon.svg", media_type="image/svg+xml")


def _file(folder: Path, name: str) -> Path:
    """Return the file `name` below `folder`; nothing outside it, by whatever name."""
    try:
        path = (folder / name).resolve()
        inside = path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):
        inside = False
    if not inside:
        raise NotFound("no such file")
    return path
