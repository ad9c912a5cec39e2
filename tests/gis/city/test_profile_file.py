"""A profile file: the demo's reads, and every mistake in another is named at once."""

from pathlib import Path

import pytest

from gis.city.city import DEMO
from gis.city.profile_file import read_profile
from gis.contract.text import Text
from gis.errors import InvalidInput, NotFound


def test_the_demo_profile() -> None:
    profile = read_profile(DEMO / "city.toml")
    assert (profile.slug, profile.metric_crs, profile.time_zone) == ("demo", "EPSG:4549", "Asia/Shanghai")
    assert profile.title == Text("姑苏示范区（合成数据）", "Gusu demo (synthetic)")
    assert profile.lattice_origin == (549000.0, 3459000.0)
    assert profile.languages == ("zh", "en")
    assert profile.synthetic


def test_every_mistake_at_once(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text('slug = 7\ncolour = "red"\ntime_zone = "UTC"\n[title]\nzh = "城"\n', encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        read_profile(path)
    assert {(p.field, p.code) for p in caught.value.problems} == {
        ("metric_crs", "missing_key"),
        ("colour", "unknown_key"),
        ("slug", "wrong_kind"),
        ("title", "missing_key"),
    }


def test_values_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "city.toml"
    path.write_text(
        'slug = "x"\nmetric_crs = "EPSG:4326"\ntime_zone = "Mars/Olympus"\n[title]\nzh = "城"\nen = "City"\n',
        encoding="utf-8",
    )
    with pytest.raises(InvalidInput) as caught:
        read_profile(path)
    assert {p.field for p in caught.value.problems} == {"metric_crs", "time_zone"}


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_profile(tmp_path / "absent.toml")
    path = tmp_path / "city.toml"
    path.write_text("slug demo", encoding="utf-8")
    with pytest.raises(InvalidInput, match="no TOML"):
        read_profile(path)
