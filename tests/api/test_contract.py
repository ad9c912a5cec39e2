"""The description of the server against the server: whatever is asked, allowed or not, no answer is a 500.

One collection of each kind stands for all of them; their paths are made by the same code.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

COLLECTIONS = frozenset({"incidents", "hotspots", "posts"})
PROCESSES = frozenset({"hotspots"})
EXAMPLES = 5
SENT = ("params", "headers", "cookies", "json", "data", "files")
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SETTINGS = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


def stands_for_itself(path):
    """Return whether an operation is looked at: all but the other collections and processes."""
    parts = path.split("/")
    kept = {"collections": COLLECTIONS, "processes": PROCESSES, "styles": COLLECTIONS, "maps": set()}.get(parts[1])
    return kept is None or len(parts) < 3 or parts[2] in {*kept, "map"}


@pytest.fixture
def operations(shared):
    schema = schemathesis.openapi.from_dict(shared.json("/api", headers={"Accept": "application/json"}))
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if stands_for_itself(operation.path)]


@pytest.mark.asvs("4.1.1")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["allowed", "not allowed"])
def test_no_request_is_a_500_and_every_answer_is_as_described(shared, operations, mode):
    assert len(operations) > 50
    broken = []

    def ask(case):
        sent = case.as_transport_kwargs()
        more = {name: sent[name] for name in SENT if sent.get(name)}
        path = sent["url"].removeprefix("http://localhost") if "url" in sent else case.formatted_path
        answer = shared(case.method, path, **more)
        if "files" in more:
            # A body in parts cannot be looked at again.
            assert answer.status_code < 500
        else:
            case.validate_response(answer, checks=CHECKS)

    for operation in operations:
        try:
            SETTINGS(given(case=operation.as_strategy(generation_mode=mode))(ask))()
        except Unsatisfiable:
            # Nothing of it can be wrong: it takes nothing.
            assert mode is GenerationMode.NEGATIVE
        except (AssertionError, BaseExceptionGroup) as error:
            broken.append(f"{operation.label}: {error}")
    assert not broken, "\n\n".join(broken)
