"""``/plans/imports``: drafts from files, read in the same sandbox and within the same limits as an import."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.deps import CityDep, StoreDep
from api.pages import Json
from api.plans import NewPlan, checked, plan_document
from api.roles import DeskDep
from api.routes.imports import FILE, kept
from gis.errors import InvalidInput, Problem, TooLarge, UnsupportedMedia
from gis.store import plans
from gis.store.plans import PlanFile, PlanRow

router = APIRouter(prefix="/plans")

HEAD: Final = ("title", "note")
HOW: Final = ("crs", "code", "block", "layer", "encoding")
MAX_FIELDS: Final = 20


@router.post("/imports")
async def take(request: Request, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Write down a draft as an uploaded file has it: 201 with how well it fits."""
    parameters.known(request.query_params, ())
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMedia(
            "send the file as multipart/form-data, in the field 'file'",
            zh="请以 multipart/form-data 在 file 字段发送文件",
        )
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
        upload, head, how = _read_form(form)
        most = request.app.state.settings.max_upload_bytes
        if (upload.size or 0) > most:
            raise TooLarge(f"a file may have at most {most:,} bytes", zh=f"文件不得超过 {most:,} 字节")

        def work() -> tuple[PlanRow, dict[str, Any]]:
            with kept(upload) as path:
                return plans.from_file(store, city, path, title=head.title, note=head.note, desk=desk, how=how)

        plan, report = await run_in_threadpool(work)
    return Json({**plan_document(request, plan), "fit": report}, 201, {"Location": f"/plans/{plan.id}"})


def _read_form(form: FormData) -> tuple[UploadFile, NewPlan, PlanFile]:
    """Return the file, what the plan is called and how to read it; `InvalidInput` names all that is wrong."""
    problems = [
        Problem("unknown_field", "there is no such field", name, zh="没有此字段")
        for name in dict.fromkeys(form)
        if name not in (FILE, *HEAD, *HOW)
    ]
    uploads = [entry for entry in form.getlist(FILE) if isinstance(entry, UploadFile)]
    if not uploads or not uploads[0].filename:
        problems.append(Problem("missing_file", "the file is missing", FILE, zh="缺少文件"))
    texts = {name: [entry for entry in form.getlist(name) if isinstance(entry, str)] for name in (*HEAD, *HOW)}
    problems += [
        Problem("doubled_field", "given twice", name, zh="重复给出") for name, given in texts.items() if len(given) > 1
    ]
    words = {name: given[0] for name, given in texts.items() if given and given[0]}
    try:
        head = checked(NewPlan, {name: words[name] for name in HEAD if name in words})
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput("the form is not valid", problems, zh="表单无效")
    return uploads[0], head, PlanFile(**{name: words[name] for name in HOW if name in words})
