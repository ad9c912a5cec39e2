"""A page is one file: nothing in it points elsewhere, and what would is refused."""

import re

import folium
import geopandas as gpd
import pytest

from gis.contract.profile import CityProfile
from layers.engine.catalog import catalog
from layers.engine.notebook import folium_map
from layers.engine.onefile import ASSETS, VENDORED, self_contained

Town = dict[str, gpd.GeoDataFrame]


def html(town: Town, profile: CityProfile, id_: str = "grids", **options: object) -> str:
    made = folium_map(catalog()[id_], town[id_], profile=profile, **options)  # type: ignore[arg-type]
    return str(made.get_root().render())


@pytest.mark.parametrize(("language", "lang"), [("zh", "zh-CN"), ("en", "en")])
def test_a_page_loads_nothing_and_says_what_it_is(town: Town, profile: CityProfile, language: str, lang: str) -> None:
    page = html(town, profile, language=language)
    assert re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=", page) == []
    assert not re.findall(r"url\((?!data:|#)", page)
    assert f'<html lang="{lang}"' in page
    assert re.search(r"<title>[^<]+</title>", page)
    assert "user-scalable" not in page
    assert page.count('name="viewport"') == 1
    assert {"zh": "合成数据", "en": "Synthetic data"}[language] in page


def test_real_data_are_not_called_synthetic(town: Town) -> None:
    real = CityProfile("real", catalog()["grids"].title, "EPSG:4549", "UTC", synthetic=False)
    assert "wg-synthetic" not in html(town, real).split("<body>")[1]


def test_the_same_data_give_the_same_file(town: Town, profile: CityProfile) -> None:
    assert html(town, profile) == html(town, profile)


def test_a_saved_file_is_what_render_gives(town: Town, profile: CityProfile, tmp_path: object) -> None:
    made = folium_map(catalog()["grids"], town["grids"], profile=profile)
    path = f"{tmp_path}/map.html"
    made.save(path)
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as a user does
        assert file.read() == made.get_root().render()


def test_in_a_notebook_it_shows_itself(town: Town, profile: CityProfile) -> None:
    shown = folium_map(catalog()["grids"], town["grids"], profile=profile)._repr_html_()
    assert "<iframe srcdoc=" in shown
    assert "http" not in re.sub(r"(?s)srcdoc=\".*?\"", "", shown)


def test_a_stock_folium_page_is_refused_with_the_address() -> None:
    with pytest.raises(ValueError, match=r"load from elsewhere: .*jquery"):
        self_contained(folium.Map(tiles=None).get_root().render())


def test_tiles_of_a_stranger_are_refused(town: Town, profile: CityProfile) -> None:
    made = folium_map(catalog()["grids"], town["grids"], profile=profile)
    folium.TileLayer(tiles="https://tiles.example.com/{z}/{x}/{y}.png", attr="x").add_to(made)
    with pytest.raises(ValueError, match=r"tiles\.example\.com"):
        made.get_root().render()


def test_a_plugin_with_its_own_script_is_refused(town: Town, profile: CityProfile) -> None:
    from folium.plugins import MarkerCluster

    made = folium_map(catalog()["grids"], town["grids"], profile=profile)
    MarkerCluster().add_to(made)
    with pytest.raises(ValueError, match="markercluster"):
        made.get_root().render()


def test_an_address_in_the_data_is_only_text(town: Town, profile: CityProfile) -> None:
    rows = town["grids"].assign(name_zh="https://example.com/</script><b>")
    page = self_contained_data(html({"grids": rows}, profile))
    assert "https://example.com/" in page
    assert "<" not in page


def self_contained_data(page: str) -> str:
    found = re.search(r'id="wangge-data">(.*?)</script>', page, re.DOTALL)
    assert found
    return found[1]


def test_vendored_files_are_leaflet_as_published() -> None:
    assert (ASSETS / "leaflet/LICENSE").read_text(encoding="utf-8").startswith("BSD 2-Clause License")
    assert "Leaflet 1.9.4" in VENDORED["leaflet.js"].read_text(encoding="utf-8")[:200]
