"""Which metrics an outcome is worth; ``test_runtime_emf.py`` has their lines."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hosted_model_runtime.decisions.ends import Done, Failed, HandedOver, Superseded
from hosted_model_runtime.invocation import metrics
from hosted_model_runtime.invocation.outcome import Facts, Hosted, Outcome

NOW = 1_790_000_000.25
ISSUED = datetime(2026, 9, 21, 13, 33, 20, tzinfo=UTC).timestamp()
DECLARED = {"ProjectName": "boards", "ModelVersion": "latest"}
EXACT = {"ProjectName": "boards", "ModelVersion": "3"}
OLD = Hosted({"ProjectName": "boards", "ModelVersion": "2"}, "20260921T123320Z", 1_789_999_000.0)
Found = list[tuple[str, float, str]]


def read(outcome: Outcome, service: str = "lookoutvision") -> Found:
    """Name, value and version of each metric."""
    found = []
    for line in metrics.lines(service, DECLARED, ISSUED, outcome, NOW):
        assert "secret" not in line
        document = json.loads(line)
        name = document["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"]
        found.append((name, document[name], document["Version"]))
    return found


def ended(end: Done | Failed | Superseded | HandedOver, facts: Facts | None = None) -> Outcome:
    return Outcome(end, "id", facts or Facts())


def hosted(at: str) -> Outcome:
    return ended(Done({"HostedAt": at}), Facts(EXACT))


@pytest.mark.parametrize(
    ("outcome", "worth"),
    [
        (hosted("20260921T133504Z"), [("TimeToHosted", 104, "3")]),
        (hosted("20260921T133320Z"), [("TimeToHosted", 0, "3")]),
        # It was hosted already: this request started nothing.
        (hosted("20260921T132959Z"), []),
        (hosted("soon"), []),
        (ended(Done()), []),
        (ended(Failed("secret", "QUOTA"), Facts(EXACT)), [("HostingFailures", 1, "3")]),
        (ended(Failed("secret")), [("HostingFailures", 1, "latest")]),
        (ended(Superseded("later"), Facts(EXACT, superseded=True)), [("SupersededRequests", 1, "3")]),
        (ended(Superseded("CloudFormation no longer waits")), []),
        (ended(HandedOver()), []),
        (ended(HandedOver(), Facts(EXACT, hosted=(OLD,))), [("HostingSeconds", 5000, "2")]),
        (ended(Done(), Facts(EXACT, hosted=(OLD,))), [("HostingSeconds", 5000, "2")]),
        (ended(Done(), Facts(EXACT, hosted=(replace(OLD, since=""),))), []),
        # One model stopped, and the one that replaces it could not be hosted.
        (
            ended(Failed("secret", "QUOTA"), Facts(EXACT, hosted=(OLD,))),
            [("HostingSeconds", 5000, "2"), ("HostingFailures", 1, "3")],
        ),
    ],
)
def test_what_an_outcome_is_worth(outcome: Outcome, worth: Found) -> None:
    assert read(outcome) == worth


def test_a_request_that_is_not_valid_is_counted_where_it_names_a_model() -> None:
    outcome = ended(Failed("bad", "INVALID"))
    (line,) = metrics.lines("lookoutvision", DECLARED, ISSUED, outcome, NOW)
    assert json.loads(line)["Reason"] == "INVALID"
    for service, model in (("forecasts", DECLARED), ("lookoutvision", {})):
        with pytest.raises(KeyError):
            list(metrics.lines(service, model, ISSUED, outcome, NOW))
