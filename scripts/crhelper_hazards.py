#!/usr/bin/env python3
"""Write docs/crhelper-hazards.md from a run of tests/protocol/test_crhelper_hazards.py."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = "tests/protocol/test_crhelper_hazards.py"
PAGE = ROOT / "docs/crhelper-hazards.md"

HEAD = """\
<!-- Made by scripts/crhelper_hazards.py: do not edit. -->
# crhelper 2.0.12's polling path: what it does, and what this project's resource does

crhelper is a fine library for three-line handlers. Its polling path was not made for resources that bill by
the hour. Each scenario below was run twice in the same virtual world (CloudFormation, Lambda, EventBridge,
the model service): once with plain crhelper 2.0.12 and handlers as its README shows them, once with this
project's function through `index.handler`. The tests demand that the first breaks the promise and the second
keeps it; so a release of crhelper that closes a hazard turns its test red, and its override can go.

Made by `make hazards` (`.venv/bin/python scripts/crhelper_hazards.py`), which runs
`tests/protocol/test_crhelper_hazards.py` and writes what was seen in that run. `<random>` stands for eight
characters that differ from run to run. Overrides are methods of `HostedModelResource` in
`lambda/hosted_model_runtime/cloudformation/crhelper_resource.py`.
"""


def measure() -> list[dict[str, str]]:
    """Run the tests; return the properties that each recorded.

    Raises
    ------
    SystemExit
        When a test fails: a page of what is not so is not written.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        options = ["-q", "-k", "test_hazard", "-p", "no:cacheprovider", "--show-capture=no"]
        written = ["-o", "junit_family=xunit1", f"--junitxml={report}"]
        run = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *written, TESTS], cwd=ROOT, check=False
        )
        if run.returncode:
            raise SystemExit(run.returncode)
        cases = ET.parse(report).getroot().iter("testcase")
        return [{p.attrib["name"]: p.attrib["value"] for p in case.iter("property")} for case in cases]


def render(rows: Iterable[Mapping[str, str]]) -> str:
    """Return the page: one table row a hazard, in the tests' order."""
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    for row in rows:
        found.setdefault(row["hazard"], {})[row["who"]] = row
    lines = [
        HEAD,
        "| hazard | where in crhelper | what must hold | plain crhelper 2.0.12 | this project | closed by |",
        "|---|---|---|---|---|---|",
    ]
    for who in found.values():
        one = who["plain"]
        cells = [
            one["title"],
            one["where"],
            one["promise"],
            who["plain"]["observed"],
            who["ours"]["observed"],
        ]
        lines.append("| " + " | ".join(_cell(text) for text in (*cells, one["closed_by"])) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(render(measure()), encoding="utf-8")
    print(PAGE.relative_to(ROOT))
