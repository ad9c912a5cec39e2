"""The public reports without a name (Open311 GeoReport v2): what is taken and never kept, who decides, who knows."""

import datetime as dt
import re
from xml.etree import ElementTree as ET

import pytest
import sqlalchemy as sa

from api.open311 import DROPPED
from gis.city import codebook
from gis.city.public_reports import report_policy
from gis.contract.roles import ROLES
from gis.store import reports
from gis.store.tables import FRAME_TABLES, REPORTS
from tests.api.conftest import SOUTH, WEST, Client, count

V2 = "/open311/v2"
PLACE = {"lat": f"{SOUTH + 0.005}", "long": f"{WEST + 0.005}"}
NOW = dt.datetime.now(dt.UTC)

# Field names of the specification, as wiki.open311.org/GeoReport_v2 lists them.
SERVICE = {"service_code", "service_name", "description", "metadata", "type", "keywords", "group"}
ATTRIBUTE = {"variable", "code", "datatype", "required", "datatype_description", "order", "description", "values"}
POSTED = {"service_request_id", "token", "service_notice", "account_id"}
REQUEST = {
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
    "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode",
    "lat", "long", "media_url",
}  # fmt: skip
DISCOVERY = {"changeset", "contact", "key_service", "endpoints"}
ENDPOINT = {"specification", "url", "changeset", "type", "formats"}


def form(**fields):
    return {"service_code": "public_facility", **PLACE, **fields}


def send(client, role="public", ending="json", **fields):
    return client.post(f"{V2}/requests.{ending}", data=form(**fields), role=role)


def token_of(answer):
    assert answer.status_code == 201, answer.text
    (told,) = answer.json()
    return told["token"]


def errors(answer, status):
    assert answer.status_code == status, answer.text
    found = answer.json()
    assert all(set(error) == {"code", "description"} and error["code"] == status for error in found)
    return "\n".join(error["description"] for error in found)


def standing(client, token, role="public", lang="en"):
    (named,) = client.json(f"{V2}/tokens/{token}.json", role=role)
    assert set(named) == {"service_request_id", "token"}
    (one,) = client.json(f"{V2}/requests/{named['service_request_id']}.json?lang={lang}", role=role)
    return one


def xml(answer):
    return ET.fromstring(answer.content)  # noqa: S314 - of our own making


def waiting(client, role="supervisor"):
    return client.json("/reports", role=role, headers={"Accept": "application/json"})["reports"]


def test_what_may_be_reported_is_said_in_the_words_of_the_specification(shared):
    found = shared.json(f"{V2}/services.json?lang=en", role="public")
    assert {entry["service_code"] for entry in found} == set(report_policy().services)
    for entry in found:
        assert set(entry) == SERVICE
        assert (entry["type"], entry["metadata"]) == ("batch", True)
    # Nothing that is urgent or has a witness, and of course no opinion.
    assert set(report_policy().services) < set(codebook("incident_categories")) - {
        "fire", "emergency", "robbery", "assault", "burglary", "theft", "fraud", "dispute", "disorder"
    }  # fmt: skip
    chinese = shared.json(f"{V2}/services.json?lang=zh", role="public")
    assert chinese[0]["service_name"] == "公用设施损坏"
    for entry in found:
        one = shared.json(f"{V2}/services/{entry['service_code']}.json", role="public")
        assert set(one) == {"service_code", "attributes"}
        assert [set(each) for each in one["attributes"]] == [ATTRIBUTE]
    assert errors(shared.get(f"{V2}/services/burglary.json", role="public"), 404)


def test_a_client_discovers_the_service(shared):
    found = shared.json("/open311/discovery.json", role="public")
    assert set(found) == DISCOVERY
    (endpoint,) = found["endpoints"]
    assert set(endpoint) == ENDPOINT
    assert shared.json(f"{endpoint['url']}/services.json", role="public")
    top = xml(shared.get("/open311/discovery.xml", role="public"))
    assert top.findtext("endpoints/endpoint/url") == endpoint["url"]
    assert [each.text for each in top.iterfind("endpoints/endpoint/formats/format")] == endpoint["formats"]


def test_xml_says_what_json_says(served):
    answer = served.get(f"{V2}/services.xml?lang=zh", role="public")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert answer.text.startswith("<?xml version='1.0' encoding='utf-8'?>")
    top = xml(answer)
    plain = [{field.tag: field.text for field in entry} for entry in top.iterfind("service")]
    told = served.json(f"{V2}/services.json?lang=zh", role="public")
    assert plain == [{name: "true" if value is True else value for name, value in entry.items()} for entry in told]
    definition = xml(served.get(f"{V2}/services/noise.xml", role="public"))
    assert definition.findtext("attributes/attribute/code") == "seen_at"
    posted = xml(send(served, ending="xml"))
    token = posted.findtext("request/token")
    named = xml(served.get(f"{V2}/tokens/{token}.xml", role="public"))
    name = named.findtext("request/service_request_id")
    one = xml(served.get(f"{V2}/requests/{name}.xml", role="public"))
    assert {field.tag for field in one.find("request")} == REQUEST
    assert one.findtext("request/status") == "open"
    refused = xml(served.get(f"{V2}/tokens/none.xml", role="public"))
    assert refused.findtext("error/code") == "404"


def test_a_report_waits_is_taken_up_and_its_token_tells(served, store, filled):
    answer = send(served, **{"attribute[seen_at]": (NOW - dt.timedelta(days=2)).isoformat()})
    (told,) = answer.json()
    assert set(told) <= POSTED
    assert "service_request_id" not in told  # a token and a name are never told together
    token = told["token"]
    before = standing(served, token)
    assert set(before) == REQUEST
    assert (before["status"], before["service_code"]) == ("open", "public_facility")
    assert before["lat"] is before["long"] is before["address"] is None

    (seen,) = waiting(served)
    assert seen["geometry"]["coordinates"] == pytest.approx([WEST + 0.005, SOUTH + 0.005])
    taken = served.post(f"/reports/{seen['id']}/accept", json={"category": "environment"}, role="officer")
    assert taken.status_code == 201
    incident = served.json(taken.headers["location"], role="supervisor")["properties"]
    assert incident["category"] == "environment"
    assert incident["origin"] == "public_report"
    assert incident["grid_code"] == "320508001000000"
    assert dt.datetime.fromisoformat(incident["occurred_at"]) == NOW - dt.timedelta(days=2)
    after = standing(served, token)
    assert after["status"] == "closed"
    assert after["status_notes"] == "Taken up as an incident"
    assert after["updated_datetime"] > after["requested_datetime"]
    assert waiting(served) == []
    for what, body in (("accept", {}), ("reject", {"reason": "duplicate"})):
        assert served.post(f"/reports/{seen['id']}/{what}", json=body, role="supervisor").status_code == 409
    assert count(store, filled, "incidents") == 251
    # Nothing that the public holds leads to the incident.
    name = before["service_request_id"]
    table = FRAME_TABLES["incidents"]
    with store.transaction(filled.scope, read_only=True) as connection:
        identifier = connection.scalar(
            sa.select(table.c.source_id).where(table.c.origin == "public_report", table.c.source != "test")
        )
    assert identifier not in (token, name)
    for guess in (str(seen["id"]), identifier, str(taken.json()["incident_id"])):
        assert served.get(f"{V2}/tokens/{guess}.json", role="public").status_code == 404
        assert served.get(f"{V2}/requests/{guess}.json", role="public").status_code == 404


def test_a_report_is_turned_down_for_a_reason_of_the_book(served, store, filled):
    token = token_of(send(served))
    (seen,) = waiting(served)
    wrong = served.post(f"/reports/{seen['id']}/reject", json={"reason": "他很烦"}, role="supervisor")
    assert wrong.status_code == 422
    assert served.post(f"/reports/{seen['id']}/reject", json={}, role="supervisor").status_code == 422
    done = served.post(f"/reports/{seen['id']}/reject", json={"reason": "nothing_found"}, role="supervisor")
    assert done.status_code == 200
    assert standing(served, token)["status_notes"] == "Not taken up: Nothing found there"
    assert standing(served, token, lang="zh")["status_notes"] == "未予受理：现场未发现"
    assert count(store, filled, "incidents") == 250
    (kept,) = served.json("/reports?state=rejected&f=json", role="supervisor")["reports"]
    assert kept["reason"] == "nothing_found"


def test_nothing_about_anybody_is_in_the_database_afterwards(served, store, filled):
    said = {name: f"geheim-{name}-13812345678" for name in DROPPED}
    (told,) = send(served, **said).json()
    for name in DROPPED:
        assert name in told["service_notice"]
    send(served, service_code="noise", description="老王家太吵，车牌苏E12345")
    served.post(f"/reports/{waiting(served)[0]['id']}/accept", json={}, role="supervisor")
    tables = sa.text(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'"
    )
    with store.transaction(filled.scope, read_only=True) as connection:
        dumped = ""
        for schema, name in connection.execute(tables).all():
            rows = connection.exec_driver_sql(f'SELECT row_to_json(t)::text FROM "{schema}"."{name}" t').scalars()
            dumped += "\n".join(rows)
        columns = set(REPORTS.c.keys())
    assert "public_facility" in dumped  # what is looked through holds the reports
    for secret in (
        "geheim",
        "13812345678",
        "老王",
        "苏E12345",
        "127.0.0.1",
        told["token"],
        reports.request_name(told["token"]),
    ):
        assert secret not in dumped, secret
    assert columns.isdisjoint(DROPPED)


def test_nobody_lists_what_others_reported(served):
    tokens = [token_of(send(served, service_code=code)) for code in ("noise", "environment")]
    for query in ("", "?status=open", "?service_code=noise", "?start_date=2020-01-01T00:00:00Z"):
        for role in ROLES:
            assert served.json(f"{V2}/requests.json{query}", role=role) == []
    names = [reports.request_name(token) for token in tokens]
    found = served.json(f"{V2}/requests.json?service_request_id={names[1]},nonsense,{names[0]}", role="public")
    assert [each["service_code"] for each in found] == ["environment", "noise"]
    assert errors(served.get(f"{V2}/requests.json?service_request_id={'a,' * 51}", role="public"), 400)
    # A token is no name and a name is no token.
    assert served.get(f"{V2}/requests/{tokens[0]}.json", role="public").status_code == 404
    assert served.get(f"{V2}/tokens/{names[0]}.json", role="public").status_code == 404
    assert len({*tokens, *names}) == 4
    assert all(re.fullmatch(r"[a-z2-7]{26}", secret) for secret in (*tokens, *names))


def test_a_desk_is_told_what_may_be_the_same_matter(served):
    send(served)
    send(served, lat=f"{SOUTH + 0.0052}")  # 22 m north
    send(served, lat=f"{SOUTH + 0.006}")  # 111 m
    send(served, service_code="noise")
    first, near, far, other = waiting(served)
    assert (first["twin"], near["twin"], far["twin"], other["twin"]) == (None, first["id"], None, None)
    # What was turned down is no matter.
    served.post(f"/reports/{first['id']}/reject", json={"reason": "not_clear"}, role="officer")
    send(served)
    assert waiting(served)[-1]["twin"] == near["id"]


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"service_code": ""}, 400, "service_code: is needed"),
        ({"service_code": "burglary"}, 404, "service_code: cannot be reported here"),
        ({"service_code": "上访"}, 404, "service_code: cannot"),
        ({"lat": ""}, 400, "lat: is needed"),
        ({"lat": "1e999"}, 400, "lat: is needed"),
        ({"lat": "NaN", "long": "x"}, 400, "long: is needed"),
        ({"lat": "-5.1"}, 400, "lat: outside"),
        ({"lat": PLACE["long"], "long": PLACE["lat"]}, 400, "lat: outside"),
        ({"name": "张三"}, 400, "name: is not read here"),
        ({"attribute[size]": "3"}, 400, "attribute[size]: is not read here"),
        ({"attribute[seen_at]": "yesterday"}, 400, "attribute[seen_at]: must be a time"),
        ({"attribute[seen_at]": "2026-01-31T08:00:00"}, 400, "attribute[seen_at]: must be a time"),
        ({"attribute[seen_at]": "9999-12-31T23:59:59-14:00"}, 400, "attribute[seen_at]"),
        ({"attribute[seen_at]": "2020-01-31T08:00:00Z"}, 400, "within the last 7 days"),
        ({"attribute[seen_at]": (NOW + dt.timedelta(hours=1)).isoformat(timespec="seconds")}, 400, "within the last"),
        ({"jurisdiction_id": "elsewhere.gov"}, 404, "jurisdiction_id"),
    ],
)
def test_what_is_wrong_is_said_as_the_specification_says_it(served, fields, status, words):
    assert words in errors(send(served, **fields), status)
    assert waiting(served) == []


def test_what_is_wrong_is_said_in_the_language_of_the_page(served):
    asked = f"{V2}/requests.json?lang=zh"
    answer = served.post(asked, data=form(lat="-5"), role="public")
    assert errors(answer, 400) == "lat: 不在本市范围内"
    assert errors(served.get(f"{V2}/tokens/none.json?lang=zh", role="public"), 404)


def test_everything_that_is_wrong_is_said_at_once(served):
    text = errors(send(served, service_code="", lat="a", long="b", nickname="x"), 400)
    assert len(text.splitlines()) == 4


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"<request><lat>1</lat></request>", "text/xml", 415),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "application/xml", 415),
        (b"{}", "application/json", 415),
        (b"x", "", 400),
        (b"service_code=" + b"a" * 20_000, None, 413),
        (b"&".join(b"f%d=1" % i for i in range(500)), None, 400),
        (b"service_code=noise&service_code=noise", None, 400),
        (b"lat=%ff&long=1&service_code=noise", None, 400),
        (b"\xff=1", None, 400),
        (b"", None, 400),
    ],
)
def test_a_hostile_body_is_refused(served, body, kind, status):
    headers = {"Content-Type": "application/x-www-form-urlencoded" if kind is None else kind}
    answer = served.post(f"{V2}/requests.json", content=body, headers=headers, role="public")
    assert errors(answer, status)
    assert waiting(served) == []


@pytest.mark.parametrize(
    "path", ["services.yaml", "requests.html", "services.json?x=1", "tokens/%00.json", "requests/..%2f.json"]
)
def test_an_address_that_is_none_is_no_error_of_the_server(shared, path):
    assert shared.get(f"{V2}/{path}", role="public").status_code in (400, 404)


def test_one_address_sends_so_many_and_then_waits(store, filled):
    del filled
    now = [0.0]
    client = Client(store, reports_burst=3, reports_per_hour=60)
    client.app.state.report_buckets._clock = lambda: now[0]
    assert [send(client).status_code for _ in range(4)] == [201, 201, 201, 429]
    refused = send(client)
    assert errors(refused, 429)
    assert int(refused.headers["retry-after"]) == 60
    now[0] = 61.0
    assert [send(client).status_code for _ in range(2)] == [201, 429]
    assert len(waiting(client)) == 4
    client.close()


def test_a_decided_report_is_deleted_after_its_days_and_a_waiting_one_is_not(served, store, filled):
    old, still = token_of(send(served)), token_of(send(served, service_code="noise"))
    first, _ = waiting(served)
    served.post(f"/reports/{first['id']}/reject", json={"reason": "not_clear"}, role="supervisor")
    long_ago = dt.datetime.now(dt.UTC) - report_policy().kept - dt.timedelta(days=1)
    with store.transaction(filled.scope) as connection:
        connection.execute(REPORTS.update().values(reported_at=long_ago))
        connection.execute(REPORTS.update().where(REPORTS.c.id == first["id"]).values(decided_at=long_ago))
    send(served)
    assert served.get(f"{V2}/tokens/{old}.json", role="public").status_code == 404
    assert standing(served, still)["status"] == "open"


def test_a_token_stands_in_no_log(served, capsys):
    token = token_of(send(served))
    standing(served, token)
    logged = capsys.readouterr()
    assert "/open311/v2/tokens/*" in logged.out + logged.err
    assert token not in logged.out + logged.err
    assert reports.request_name(token) not in logged.out + logged.err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_hold_what_is_needed_and_load_nothing_from_elsewhere(served, lang):
    send(served)
    page = served.get(f"/report?lang={lang}", role="public")
    assert page.status_code == 200
    for code in report_policy().services:
        assert f'value="{code}"' in page.text
    desk = served.get(f"/reports?lang={lang}&f=html", role="supervisor")
    assert desk.status_code == 200
    for reason in codebook("report_reasons"):
        assert f'value="{reason}"' in desk.text
    for text in (page.text, desk.text):
        assert re.findall(r'(?:src|href)="(https?:)', text) == []
    for path in ("report.js", "reports.js", "report.css"):
        assert served.get(f"/static/{path}", role="public").status_code == 200
    assert served.get("/reports?state=odd", role="supervisor").status_code == 400
    assert served.post("/reports/9/accept", json={}, role="supervisor").status_code == 404
    assert served.post("/reports/x/accept", json={}, role="supervisor").status_code == 404
    assert served.post("/reports/1/accept", json={"category": "castle"}, role="supervisor").status_code == 422
