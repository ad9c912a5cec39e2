"""Pages for people: both languages, nothing from elsewhere, no hole for a script, a place for every reader."""

import re
from html.parser import HTMLParser

import pytest

from api.pages import accepts_html
from tests.support.rows import fill

PAGES = [
    "/",
    "/conformance",
    "/api",
    "/collections",
    "/collections/grids",
    "/collections/incidents/items",
    "/collections/incidents/items/1",
    "/collections/grids/queryables",
    "/collections/grids/schema",
    "/collections/grids/tiles",
    "/tileMatrixSets",
    "/styles",
    "/styles/grids/legend",
    "/processes",
    "/jobs",
    "/runs",
    "/imports",
    "/imports/1",
    "/imports/1/errors",
]


class Page(HTMLParser):
    """What a reader's browser would load, and what a screen reader would find."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.headings, self.unlabelled, self.lang, self.title = [], [], [], [], "", ""
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag not in ("meta", "link", "img", "br", "path", "circle", "rect", "input"):
            self.open.append(tag)
        if tag == "html":
            self.lang = found["lang"]
        if tag in ("script", "img", "iframe") or (tag == "link" and found["rel"] != "alternate"):
            self.loads.append(found.get("src") or found.get("href"))
        if tag == "a":
            self.links.append(found["href"])
        if tag == "img" and "alt" not in found:
            self.unlabelled.append(tag)
        if tag in ("h1", "h2"):
            self.headings.append(tag)

    def handle_endtag(self, tag):
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data):
        if self.open[-1:] == ["title"]:
            self.title += data


@pytest.mark.asvs("14.2.3")
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_is_whole_in_both_languages_and_loads_nothing_from_elsewhere(shared, path, lang):
    answer = shared.get(f"{path}?f=html&lang={lang}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    page = Page(answer.text)
    assert page.lang.startswith(lang)
    assert page.title.strip()
    assert page.headings.count("h1") == 1
    assert page.unlabelled == []
    assert all(address.startswith("/") and not address.startswith("//") for address in page.loads)
    assert "<script" not in answer.text
    assert not re.search(r"\son[a-z]+=", answer.text)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_link_of_every_page_leads_somewhere(shared, lang):
    seen, waiting = set(), [f"/?f=html&lang={lang}"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = shared.get(path)
        assert answer.status_code in (200, 503) if path.startswith("/map?") else answer.status_code == 200, path
        if answer.headers["content-type"].startswith("text/html") and "f=html" in path and len(seen) < 120:
            found = [link.removeprefix("http://127.0.0.1:8000") for link in Page(answer.text).links]
            waiting += [
                link
                for link in found
                if link.startswith("/") and not link.startswith(("/maps/hotspots", "/map?")) and "/items/" not in link
            ]
    assert len(seen) > 30


def test_a_browser_gets_a_page_and_a_program_json(shared):
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    assert shared.get("/collections", headers={"accept": browser}).headers["content-type"].startswith("text/html")
    for accept in ("*/*", "application/json", "application/geo+json", ""):
        answer = shared.get("/collections/grids/items", headers={"accept": accept})
        assert answer.headers["content-type"] == "application/geo+json"
        assert "Accept" in answer.headers["vary"]


def test_the_language_is_the_readers(shared):
    def title(**headers):
        return shared.get("/collections/grids", headers=headers).json()["title"]

    assert title(**{"accept-language": "en-GB,en;q=0.9"}) == "Grids"
    assert title(**{"accept-language": "zh-CN"}) == "网格"
    assert title(**{"accept-language": "fr"}) == "网格"  # the city's own first language
    assert shared.json("/collections/grids?lang=en", headers={"accept-language": "zh"})["title"] == "Grids"


@pytest.mark.asvs("1.1.2", "1.2.1", "1.2.3", "3.2.2")
def test_what_comes_from_data_is_only_text(served, store, filled):
    hostile = "<img src=x onerror=alert(1)>\"'&</script>"
    square = "POLYGON((120.7 31.3,120.71 31.3,120.71 31.31,120.7 31.3))"
    row = {"code": "320508003000001", "kind": "comprehensive", "valid_from": "2020-01-01", "name_zh": hostile}
    (key,) = fill(store, filled, "grids", [{**row, "geom": square}])
    served.forget()
    for path in ("/collections/grids/items", f"/collections/grids/items/{key}"):
        text = served.get(f"{path}?f=html").text
        assert "&lt;img" in text
        assert "<img src=x" not in text
    assert served.json(f"/collections/grids/items/{key}")["properties"]["name_zh"] == hostile


def test_synthetic_data_say_so_everywhere(served, store, filled):
    import dataclasses

    from gis.store import cities

    assert "ynthetic" not in served.get("/?f=html&lang=en").text
    profile = dataclasses.replace(filled.profile, slug="invented", synthetic=True)
    cities.create(store, profile)
    cities.use(store, "invented")
    served.forget()
    for path in PAGES[:5]:
        assert "Synthetic data" in served.get(f"{path}?f=html&lang=en").text
    assert served.json("/")["city"]["synthetic"] is True
    assert served.json("/styles/map")["metadata"]["wangge:synthetic"] is True


def test_the_map_is_served_or_says_how_to_build_it(shared):
    answer = shared.get("/map?lang=en&whatever=state")
    assert answer.status_code in (200, 503)
    assert answer.headers["content-type"].startswith("text/html")
    if answer.status_code == 503:
        assert "make setup" in answer.text


@pytest.mark.parametrize(
    ("accept", "html"),
    [("text/html", True), ("application/json, text/html", False), ("text/html;q=0.1, application/json;q=0.2", False),
     ("text/html;q=x", False), ("", False), ("*/*", False), ("application/xhtml+xml", True)],
)  # fmt: skip
def test_accept_headers(accept, html):
    assert accepts_html(accept) is html
