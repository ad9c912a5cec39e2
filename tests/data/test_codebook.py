"""The code books stay within the scope rule: places and events only."""

import tomllib

import pandas as pd
import pytest

from gis.city import FRAMES, codebooks
from gis.city.codebook import FOLDER
from gis.files.personal import is_personal_field, refused_categories

PERSONS = ("petitioner", "drug user", "mental", "ex-prisoner", "foreigner", "migrant", "minor")
PERSONS_ZH = ("重点人员", "人员", "吸毒", "精神", "刑满", "流动人口", "未成年", "外来")


@pytest.mark.parametrize("name", codebooks())
def test_no_kind_is_political_religious_a_petition_or_a_person(name: str) -> None:
    for code, text in codebooks()[name].items():
        words = pd.Series([code.replace("_", " "), text.en, text.zh], dtype="str")
        assert refused_categories(words) == {}, code
        assert not any(person in text.en.lower() for person in PERSONS), code
        assert not any(person in text.zh for person in PERSONS_ZH), code


def test_the_refusal_would_be_noticed() -> None:
    words = pd.Series(["petition", "涉政", "邪教"], dtype="str")
    assert set(refused_categories(words)) == {"petition", "political", "religious"}


@pytest.mark.parametrize("spec", FRAMES.values(), ids=lambda s: s.id)
def test_no_column_is_named_after_a_person(spec) -> None:
    assert [c.name for c in spec.columns if is_personal_field(c.name, spec.id)] == []


@pytest.mark.parametrize("name", codebooks())
def test_every_code_has_words_in_both_languages(name: str) -> None:
    entries = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["codes"]
    for code, entry in entries.items():
        assert set(entry) == {"zh", "en"}, code
        assert code.isascii()
        assert code == code.lower()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in entry["zh"]), code
        assert entry["en"].isascii(), code
    assert len({entry["zh"] for entry in entries.values()}) == len(entries)
    assert len({entry["en"] for entry in entries.values()}) == len(entries)


@pytest.mark.parametrize("spec", FRAMES.values(), ids=lambda s: s.id)
def test_every_book_a_frame_names_exists(spec) -> None:
    assert [c.codebook for c in spec.columns if c.codebook and c.codebook not in codebooks()] == []
