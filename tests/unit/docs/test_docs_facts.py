"""What the pages state of policies, phases, tags, counts and pictures is what the code says."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from hosted_model import (
    HostedModelProvider,
    LookoutVisionModel,
    PersonalizeRecommender,
    RekognitionCustomLabelsModel,
)
from hosted_model_runtime import contract
from hosted_model_runtime.decisions.marks import State
from hosted_model_runtime.decisions.model import Phase
from hosted_model_runtime.services import ADAPTERS, Service, adapter
from support.moves import ROWS
from unit.docs.pages import ROOT, code, load, rows


def granted(tmp_path: Path) -> dict[str, set[str]]:
    """The actions of every statement of the provider's role with models of all services, by Sid."""
    stack = Stack(App(outdir=str(tmp_path)), "S")
    HostedModelProvider(stack, "Provider", vpc=ec2.Vpc(stack, "Vpc"))
    LookoutVisionModel(stack, "A", project_name="boards", model_version="3")
    arn = "arn:aws:rekognition:us-east-1:111122223333:project/boards/version/v1/1600000000001"
    RekognitionCustomLabelsModel(stack, "B", project_version_arn=arn)
    arn = "arn:aws:personalize:us-east-1:111122223333:recommender/top-picks"
    PersonalizeRecommender(stack, "C", recommender_arn=arn)
    return {
        statement.get("Sid", "(without a name)"): set(
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
        for policy in Template.from_stack(stack).find_resources("AWS::IAM::ManagedPolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    }


def test_every_statement_is_in_the_security_page(tmp_path):
    said = {(code(row[0]) or [row[0]])[0]: set(code(row[1])) for row in rows("docs/security.md", "statement")}
    assert said == granted(tmp_path)


def test_the_statuses_of_the_concepts_page():
    said = {row[0]: row[1:] for row in rows("docs/concepts.md", "phase")}
    assert set(said) == {phase.name for phase in Phase}
    for column, service in enumerate(ADAPTERS):
        phases = sys.modules[adapter(service).__module__].PHASES
        for phase in Phase:
            wanted = {status for status, its in phases.items() if its is phase}
            words = said[phase.name][column].split(", ")
            shown = {word.replace(" ", "_") for word in words if word.isupper()}
            assert shown == wanted, (service, phase)


def test_the_tags_of_the_concepts_page():
    assert {code(row[0])[0] for row in rows("docs/concepts.md", "tag")} == set(contract.Tag.ALL)


def test_the_states_of_the_concepts_page():
    said = [state for row in rows("docs/concepts.md", "state") for state in code(row[0])]
    assert said == [state.value for state in State]


def test_the_moves_of_the_concepts_page():
    """Else run .venv/bin/python scripts/move_table.py."""
    renewed = runpy.run_path(str(ROOT / "scripts/move_table.py"))["renewed"]
    page = (ROOT / "docs/concepts.md").read_text(encoding="utf-8")
    assert page == renewed(page)
    assert len(list(rows("docs/concepts.md", "request"))) > len(ROWS)


def test_every_member_of_an_adapter_is_in_the_page_on_adding_a_service():
    said = {name for row in rows("docs/add-a-service.md", "method") for name in code(row[0])}
    assert said == {name for name in {**vars(Service), **Service.__annotations__} if name[0] != "_"}


def test_the_line_counts():
    hook = load("_line_counts")
    assert hook.code_lines('"""Said\nhere."""\n\n# why\nx = (\n    1\n)\n\n\ndef f():\n    """Doc."""\n') == 4
    page = hook.on_page_markdown((ROOT / "docs/add-a-service.md").read_text(encoding="utf-8"))
    assert page.count("| `lambda/hosted_model_runtime/services/") == len(ADAPTERS)
    assert page.count("| `constructs/hosted_model/grants/") == len(ADAPTERS)
    assert page.count("| `constructs/hosted_model/") == 2 * len(ADAPTERS)
    assert page.count("| `cli/hosted_model_cli/services/") == len(ADAPTERS)
    assert page.count("| `local/hosted_model_local/simulator/") == len(ADAPTERS)
    assert "| Amazon Rekognition Custom Labels, adapter |" in page


def test_every_metric_is_in_the_monitoring_page():
    table = [row for row in rows("docs/monitoring.md", "metric") if len(row) == 5]
    said = {code(row[0])[0]: (row[1], code(row[3])[0]) for row in table}
    names = contract.Metric
    for name, unit in (
        (names.TIME_TO_HOSTED, "Seconds"),
        (names.HOSTING_SECONDS, "Seconds"),
        (names.HOSTING_FAILURES, "Count"),
        (names.SUPERSEDED_REQUESTS, "Count"),
    ):
        assert said[name][0] == unit
        assert callable(getattr(LookoutVisionModel, said[name][1]))
    reasons = tuple(code(row[0])[0] for row in rows("docs/monitoring.md", "`Reason`"))
    assert reasons == names.REASONS


def test_the_pictures_are_those_that_the_script_draws(tmp_path, monkeypatch):
    script = load("_pictures")
    monkeypatch.setattr(script, "IMAGES", tmp_path)
    script.states()
    script.architecture()
    monitoring = runpy.run_path(str(ROOT / "scripts/monitoring.py"))
    recorded = json.loads((ROOT / "docs/data/monitoring.json").read_text(encoding="utf-8"))
    drawn = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    drawn["dashboard.svg"] = monitoring["draw"](recorded)
    assert drawn == {
        path.name: path.read_text(encoding="utf-8")
        for path in (ROOT / "docs/images").glob("*.svg")
        if not path.name.startswith("benchmarks-") and path.name != "rooms.svg"
    }
