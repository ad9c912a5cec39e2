"""Plans in the database: made, edited by revision, reviewed, published for a date."""

from gis.store.plans.acting import act, area_in_metres, called, corner_near, in_metres, point_in_metres
from gis.store.plans.blocks import dissolved, plan_blocks
from gis.store.plans.book import (
    Grid,
    PlanRow,
    Shape,
    State,
    assignment,
    copy,
    create,
    delete,
    from_current,
    get,
    grids,
    list_,
    shapes,
)
from gis.store.plans.checking import hand_in, problems
from gis.store.plans.desk import Desk, board, compared, desk, proposals
from gis.store.plans.drawing import PlanFile, from_file
from gis.store.plans.edits import Edit, Patch, StaleRevision, assign, edit, edits, redo, undo
from gis.store.plans.files import assignment_table, blocks_frame, export_plan, grids_frame
from gis.store.plans.lineage import Lineage, lineage, relate
from gis.store.plans.notice import NOTICE, notice
from gis.store.plans.posts import coverage, posts_moved
from gis.store.plans.publishing import publish, settle, settle_all
from gis.store.plans.review import approve, send_back, submit, withdraw
from gis.store.plans.weighing import model, weigh

__all__ = [
    "NOTICE",
    "Desk",
    "Edit",
    "Grid",
    "Lineage",
    "Patch",
    "PlanFile",
    "PlanRow",
    "Shape",
    "StaleRevision",
    "State",
    "act",
    "approve",
    "area_in_metres",
    "assign",
    "assignment",
    "assignment_table",
    "blocks_frame",
    "board",
    "called",
    "compared",
    "copy",
    "corner_near",
    "coverage",
    "create",
    "delete",
    "desk",
    "dissolved",
    "edit",
    "edits",
    "export_plan",
    "from_current",
    "from_file",
    "get",
    "grids",
    "grids_frame",
    "hand_in",
    "in_metres",
    "lineage",
    "list_",
    "model",
    "notice",
    "plan_blocks",
    "point_in_metres",
    "posts_moved",
    "problems",
    "proposals",
    "publish",
    "redo",
    "relate",
    "send_back",
    "settle",
    "settle_all",
    "shapes",
    "submit",
    "undo",
    "weigh",
    "withdraw",
]
