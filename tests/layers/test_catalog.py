"""The catalog is complete, and every layer names only columns that its rows have."""

import pytest

import gis
from gis.city import FRAMES, codebook
from gis.errors import NotFound
from layers.engine.catalog import catalog, layer, layer_of_service
from layers.engine.layer import GROUPS, FrameSource, Layer
from layers.engine.popup import rows
from layers.engine.scale import Categorical

EVERY = pytest.mark.parametrize("declared", catalog().values(), ids=lambda one: one.id)


def test_every_frame_and_every_service_has_a_layer() -> None:
    shown = {one.source.frame for one in catalog().values() if isinstance(one.source, FrameSource)}
    assert shown == set(FRAMES)
    assert {one.service for one in catalog().values() if one.service} == set(gis.services())
    for service in gis.services():
        assert layer_of_service(service).service == service


def test_of_several_layers_of_a_service_the_one_named_after_it_shows_its_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    several = [one.id for one in catalog().values() if one.service == "incident_density"]
    assert len(several) > 1
    backwards = dict(reversed(catalog().items()))
    monkeypatch.setattr("layers.engine.catalog.catalog", lambda: backwards)
    assert layer_of_service("incident_density").id == "incident_density"


def test_the_legend_begins_with_what_one_came_to_see() -> None:
    groups = [GROUPS.index(one.group) for one in catalog().values()]
    assert groups == sorted(groups)
    assert next(reversed(catalog())) == "water_areas"


def test_an_unknown_layer_is_named_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="water_areas"):
        layer("moon")


@EVERY
def test_columns_stand_in_the_contract(declared: Layer) -> None:
    assert set(declared.columns) <= set(declared.spec.names)
    assert declared.title.zh
    assert declared.title.en


@EVERY
def test_popup_speaks_both_languages_and_explains_every_code(declared: Layer) -> None:
    for row in rows(declared):
        assert row.title.zh
        assert row.title.en
        book = declared.spec.column(row.field).codebook
        if book:
            assert row.format == "code"
            assert set(row.codes) == set(codebook(book))


@EVERY
def test_classes_are_codes_of_the_codebook(declared: Layer) -> None:
    symbol = declared.symbol
    if not isinstance(symbol, Categorical):
        pytest.skip("one colour, or numbers")
    book = declared.spec.column(symbol.field).codebook
    codes = {code for one in symbol.classes for code in one.codes}
    if book:
        assert codes <= set(codebook(book))
        assert symbol.other_label or codes == set(codebook(book))


def test_no_layer_shows_who_someone_is() -> None:
    """Only declared columns leave the server, and none of them belongs to a person or to the source's own keys."""
    for declared in catalog().values():
        assert "source_id" not in declared.columns
        assert not [name for name in declared.columns if name.startswith(("person", "owner", "tenant", "phone"))]
