"""Every service can be filled in and read in both languages."""

import pytest

from api import words
from api.schemas import params_schema
from api.words import terms, worded
from gis.city import codebook
from gis.contract.service import services


def values_of(entry: dict) -> set[str]:
    branches = [entry, *entry.get("anyOf", ())]
    return {value for branch in branches for value in branch.get("enum", ())}


@pytest.mark.parametrize("service", services().values(), ids=lambda service: service.id)
def test_every_parameter_has_a_title_and_help_in_both_languages(service) -> None:
    for name, entry in worded(params_schema(service.params), open_categories=False)["properties"].items():
        assert entry["wangge:title"]["zh"], name
        assert entry["wangge:description"]["zh"], name
        assert entry["wangge:description"]["en"] == entry["description"], name
        assert values_of(entry) <= entry.get("wangge:labels", {}).keys(), name


def test_a_city_with_its_own_categories_is_not_offered_ours() -> None:
    schema = params_schema(services()["hotspots"].params)
    ours = worded(schema, open_categories=False)["properties"]
    theirs = worded(schema, open_categories=True)["properties"]
    assert ours["categories"]["anyOf"][0]["items"]["enum"] == list(codebook("incident_categories"))
    assert "enum" not in theirs["categories"]["anyOf"][0]["items"]
    assert theirs["origins"]["items"]["enum"] == list(codebook("incident_origins"))


def test_the_words_of_results_hold_codes_and_numbers() -> None:
    known = terms()
    assert known["hot_99"] == codebook("hotspot_classes")["hot_99"]._asdict()
    assert known["hot_places_count"]["zh"] == "热点"


def test_a_word_stands_in_one_file_only(tmp_path, monkeypatch) -> None:
    (tmp_path / "a.toml").write_text('[values.x]\nzh = "甲"\nen = "A"\n', encoding="utf-8")
    (tmp_path / "b.toml").write_text('[values.x]\nzh = "乙"\nen = "B"\n', encoding="utf-8")
    monkeypatch.setattr(words, "FOLDER", tmp_path)
    words._known.cache_clear()
    try:
        with pytest.raises(ValueError, match="stands in another file"):
            terms()
    finally:
        words._known.cache_clear()
