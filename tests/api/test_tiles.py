"""Vector tiles over HTTP: the right place, nothing too much, and never the same work twice."""

import math

import pytest

from api.problems import problem_response
from api.routes import tiles as tile_routes
from gis.store import frames
from layers.engine.catalog import catalog
from tests.api.conftest import SOUTH, WEST
from tests.support.mvt import decode

Z = 14
TILES = "/collections/{}/tiles/WebMercatorQuad/{}/{}/{}"


def place(lon, lat, z=Z):
    """Return row and column of the tile of a place, by the formula of the slippy map."""
    n = 2**z
    column = math.floor((lon + 180) / 360 * n)
    row = math.floor((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)
    return row, column


ROW, COLUMN = place(WEST + 0.001, SOUTH + 0.001)


def url(layer="grids", z=Z, row=ROW, column=COLUMN):
    return TILES.format(layer, z, row, column)


def test_the_row_stands_before_the_column(shared):
    assert ROW != COLUMN
    layers = decode(shared.get(url()).content)
    assert len(layers["grids"]) >= 1
    assert shared.get(url(row=COLUMN, column=ROW)).status_code == 204


def test_a_tile_holds_the_columns_of_the_layer_and_a_layer_of_labels(shared):
    answer = shared.get(url())
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    layers = decode(answer.content)
    assert set(layers) == {"grids", "grids_label"}
    label = catalog()["grids"].label
    assert set(layers["grids_label"].columns) - {"geometry", "mvt_id"} <= {*label.zh, *label.en}
    assert set(layers["grids"].columns) - {"geometry", "mvt_id"} <= set(catalog()["grids"].columns)


def test_a_tile_can_be_filtered_as_items_can(shared):
    def count(query=""):
        whole = shared.get(url("incidents", 10, *place(WEST + 0.001, SOUTH + 0.001, 10)) + query)
        return len(decode(whole.content).get("incidents", ()))

    assert count() == 250
    assert count("?category=theft") == 84
    assert count("?category=theft,burglary") == 84 + 83
    assert count("?datetime=2025-01-01T00:00:00Z/2025-01-01T23:59:59Z") == 4
    assert count("?v=whatever") == 250
    assert shared.get(url() + "?category=theft").status_code == 400
    assert shared.get(url("incidents") + "?category=unheard").status_code == 204


@pytest.mark.parametrize(
    ("z", "row", "column"),
    [(-1, 0, 0), (23, 0, 0), (0, 1, 0), (0, 0, 1), (3, 8, 0), (3, 0, 8), (3, -1, 0), ("a", 0, 0), ("1.5", 0, 0),
     (10**30, 0, 0), (10, 10**30, 0), ("1e1", 0, 0), ("٣", 0, 0)],
)  # fmt: skip
def test_a_tile_outside_the_world_is_a_404(shared, z, row, column):
    assert shared.get(TILES.format("grids", z, row, column)).status_code == 404


@pytest.mark.parametrize("query", ["datetime=xx", "kind=", "unheard=1", "bbox=1,2,3,4", "limit=1", "run_id=1"])
def test_bad_input_is_a_400(shared, query):
    if query == "kind=":
        query = "households_count=many" if "households_count" in catalog()["grids"].columns else "unheard=2"
    assert shared.get(f"{url()}?{query}").status_code == 400


def test_the_same_tile_is_not_sent_twice(served, monkeypatch):
    first = served.get(url())
    assert first.headers["cache-control"].startswith("private")

    async def never(*_args, **_options):
        raise AssertionError("a tile was computed again")

    monkeypatch.setattr(tile_routes.tiles, "tile", never)
    again = served.get(url(), headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert served.get(url()).content == first.content


def test_a_change_of_the_frame_is_another_tile(served, store, city):
    before = served.get(url())
    with store.transaction(city.scope) as connection:
        frames.raise_version(connection, city.id, "grids")
    served.forget()
    after = served.get(url(), headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]


def test_every_filter_and_layer_has_a_tag_of_its_own(shared):
    addresses = [
        url("incidents"),
        url("incidents") + "?category=theft",
        url("incidents") + "?category=burglary",
        url("incidents") + "?datetime=2025-01-01",
        url("incidents", row=ROW + 1),
        url(),
    ]
    tags = [shared.get(address).headers["etag"] for address in addresses]
    assert len(set(tags)) == len(tags)


def test_a_layer_without_a_run_is_empty_and_not_an_error(shared):
    for layer in (layer for layer in catalog().values() if layer.service):
        assert shared.get(url(layer.id)).status_code == 204
        assert shared.json(f"/collections/{layer.id}/items")["features"] == []


def test_tilesets_say_where_the_tiles_are(shared):
    listed = shared.json("/collections/grids/tiles")["tilesets"]
    assert [t["tileMatrixSetURI"].rsplit("/", 1)[1] for t in listed] == ["WebMercatorQuad"]
    tileset = shared.json("/collections/grids/tiles/WebMercatorQuad")
    template = next(link["href"] for link in tileset["links"] if link["rel"] == "item")
    address = template.replace("{tileMatrix}", str(Z)).replace("{tileRow}", str(ROW)).replace("{tileCol}", str(COLUMN))
    assert shared.get(address).status_code == 200
    assert shared.get("/collections/grids/tiles/WorldCRS84Quad").status_code == 404
    matrices = shared.json("/tileMatrixSets/WebMercatorQuad")["tileMatrices"]
    assert matrices[3]["matrixWidth"] == 8
    assert math.isclose(matrices[3]["cellSize"] * 256 * 8, 2 * 20037508.3427892, rel_tol=1e-9)


def test_styles_point_at_our_own_tiles_only(shared):
    for lang in ("zh", "en"):
        for theme in ("light", "dark"):
            style = shared.json(f"/styles/map?lang={lang}&theme={theme}")
            assert "glyphs" not in style
            assert "sprite" not in style
            assert {entry["id"] for entry in style["metadata"]["wangge:catalog"]} == set(catalog())
            for source in style["sources"].values():
                assert all(tile.startswith("http://127.0.0.1:8000/collections/") for tile in source["tiles"])
    tiles = shared.json("/styles/map")["sources"]["grids"]["tiles"][0]
    address = tiles.replace("{z}", str(Z)).replace("{y}", str(ROW)).replace("{x}", str(COLUMN))
    assert shared.get(address).status_code == 200
    assert shared.get("/styles/map?theme=pink").status_code == 400
    assert set(shared.json("/styles/grids")["sources"]) == {"grids"}
    assert shared.json("/styles/grids/legend")["legend"]
    assert shared.get("/styles/none").status_code == 404


def test_the_map_of_a_layer_is_one_page_that_loads_nothing(shared):
    answer = shared.get("/maps/grids.html?lang=en")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "第0网格" in answer.text
    assert 'src="http' not in answer.text
    assert shared.get("/maps/grids.html?lang=en", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    assert shared.get("/maps/none.html").status_code == 404
    assert shared.get("/maps/hotspots.html").status_code == 404
    assert shared.get("/maps/grids.html?x=1").status_code == 400


def test_a_tile_that_took_too_long_is_a_503(served, monkeypatch):
    from gis.errors import StoreUnavailable

    async def slow(*_args, **_options):
        raise StoreUnavailable("the query took too long")

    monkeypatch.setattr(tile_routes.tiles, "tile", slow)
    answer = served.get(url(row=ROW + 1))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.headers["content-type"] == problem_response(503, "").media_type


def test_a_head_says_what_a_get_would_and_sends_nothing(shared):
    for address in (url(), "/collections/grids/items?limit=2"):
        answer = shared("HEAD", address)
        assert answer.status_code == 200, address
        assert answer.content == b""
        assert answer.headers["content-type"] == shared.get(address).headers["content-type"]
