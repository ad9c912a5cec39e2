"""Plans from files over HTTP: how well they fit, and what is refused and why."""

import io
import zipfile

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from tests.api.conftest import CODES, SOUTH, WEST, draft, say

CELLS = {f"b{i}": (i % 2, i // 2) for i in range(4)} | {"b4": (0, -1)}


def upload(client, name, content, **fields):
    given = {"title": "来图", **{key: value for key, value in fields.items() if value is not None}}
    return client.post("/plans/imports", files={"file": (name, content)}, data=given)


def drawn(*boxes):
    """Return areas of the city with a code each, in whole cells and parts of them."""
    corners = [(WEST + 0.01 * w, SOUTH + 0.01 * s, WEST + 0.01 * e, SOUTH + 0.01 * n) for _, w, s, e, n in boxes]
    shapes = [shapely.box(*corner) for corner in corners]
    return gpd.GeoDataFrame({"code": [code for code, *_ in boxes]}, geometry=shapes, crs="EPSG:4326")


PLAN = drawn((CODES[0], 0, -1, 1, 1.3), (CODES[1], 1, 0, 2, 2), ("320508001000777", 0, 1.3, 1, 2))


def written(frame, name, folder):
    path = folder / name
    if path.suffix == ".zip":
        frame.to_file(folder / "plan.shp")
        with zipfile.ZipFile(path, "w") as archive:
            for part in folder.glob("plan.*"):
                archive.write(part, part.name) if part != path else None
    else:
        frame.to_file(path)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["plan.geojson", "plan.gpkg", "shapes.zip"])
def test_a_drawing_becomes_a_plan_and_says_how_well_it_fits(planned, tmp_path, name):
    answer = upload(planned, name, written(PLAN, name, tmp_path), note="街道办")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["location"] == f"/plans/{made['id']}"
    assert (made["state"], made["title"], made["note"]) == ("draft", "来图", "街道办")
    fit = made["fit"]
    assert (fit["kind"], fit["blocks_count"], fit["grids_count"], fit["blocks_cut_count"]) == ("drawing", 5, 3, 1)
    assert fit["grids_new"] == ["320508001000777"]
    (cut,) = fit["cut_blocks"]
    assert cut == {"block": "b2", "grid": "320508001000777", "inside_share": pytest.approx(0.7, abs=1e-3)}
    assert planned.json(f"/plans/{made['id']}/assignment")["assignment"] == {
        "b0": CODES[0], "b1": CODES[1], "b2": "320508001000777", "b3": CODES[1], "b4": CODES[0],
    }  # fmt: skip
    kept = {grid["code"]: grid["name_zh"] for grid in planned.json(f"/plans/{made['id']}/grids")["grids"]}
    assert kept[CODES[1]] == "第1网格"


def test_the_export_of_a_plan_comes_in_again(planned):
    plan = say(planned, draft(planned), "assignment", method="PATCH", moves={"b4": CODES[1], "b3": None})
    was = planned.json(f"/plans/{plan['id']}/assignment")["assignment"]
    for ending in ("csv", "gpkg", "geojson"):
        file = planned.get(f"/plans/{plan['id']}/export.{ending}").content
        made = upload(planned, f"x.{ending}", file).json()
        assert planned.json(f"/plans/{made['id']}/assignment")["assignment"] == was, ending
        assert made["fit"]["blocks_without_grid_count"] == 1
        assert made["fit"]["grids_new"] == []
    assert made["fit"]["kind"] == "drawing"


def test_a_table_of_any_spreadsheet(planned, tmp_path):
    table = pd.DataFrame({"地块": list(CELLS), "网格": [*CODES, None], "备注": "x"})
    for name in ("plan.xlsx", "plan.csv"):
        path = tmp_path / name
        table.to_excel(path, index=False) if name.endswith("xlsx") else table.to_csv(path, index=False)
        answer = upload(planned, name, path.read_bytes(), block="地块", code="网格")
        assert answer.status_code == 201, answer.text
        assert answer.json()["fit"] == {
            "kind": "assignment", "blocks_count": 5, "blocks_without_grid_count": 1, "grids_count": 4, "grids_new": [],
        }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "fields", "status", "said"),
    [
        (("t.csv", "block_code,grid_code\nb0,g\nb0,g\nb9,g\n"), {}, 422, {"not_unique", "unknown_block"}),
        (("t.csv", "block_code,grid_code\nb0,g\n,g\n"), {}, 422, {"missing_value"}),
        (("t.csv", "block_code,grid\nb0,g\n"), {}, 422, {"missing_column"}),
        (("t.csv", "block_code,grid_code\n"), {}, 422, set()),
        (("t.csv", "a,b\n1,2\n"), {}, 422, set()),
        (("t.exe", "MZ"), {}, 415, set()),
        (("t.gpkg", "not a GeoPackage"), {}, 415, set()),
        (("t.csv", "block_code,grid_code\nb0,g\n"), {"owner": "x"}, 422, {"unknown_field"}),
        (("t.csv", "block_code,grid_code\nb0,g\n"), {"title": ""}, 422, {"missing"}),
    ],
)
def test_what_is_no_plan_is_refused_and_nothing_is_made(planned, file, fields, status, said):
    answer = upload(planned, *file, **fields)
    assert answer.status_code == status, answer.text
    assert said <= {problem["code"] for problem in answer.json()["problems"]}
    assert planned.json("/plans")["plans"] == []


def test_a_drawing_of_elsewhere_and_one_that_crosses_itself(planned):
    far = PLAN.set_geometry(PLAN.translate(5, 5))
    answer = upload(planned, "far.geojson", far.to_json())
    assert (answer.status_code, "no drawn grid touches" in answer.json()["detail"]) == (422, True)
    assert answer.json()["message"]["zh"]
    crossing = shapely.Polygon([(120.6, 31.28), (120.61, 31.29), (120.61, 31.28), (120.6, 31.29)])
    bow = gpd.GeoDataFrame({"code": [CODES[0]]}, geometry=[crossing], crs="EPSG:4326")
    answer = upload(planned, "bow.geojson", bow.to_json())
    assert answer.status_code == 422
    assert "invalid_geometry" in {problem["code"] for problem in answer.json()["problems"]}
    assert planned.post("/plans/imports", json={"title": "x"}).status_code == 415
    assert planned.json("/plans")["plans"] == []


def test_more_bytes_than_the_limit_are_refused(planned):
    planned.app.state.settings = planned.app.state.settings.model_copy(update={"max_upload_bytes": 100})
    answer = upload(planned, "big.csv", "block_code,grid_code\n" + "b0,g\n" * 100)
    assert answer.status_code == 413


def test_an_import_reads_one_file_within_a_sandbox(planned):
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("../../etc/plan.shp", b"x")
    answer = upload(planned, "shapes.zip", hostile.getvalue())
    assert answer.status_code in {415, 422}
    assert planned.json("/plans")["plans"] == []
