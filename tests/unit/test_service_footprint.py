"""A service is known in its own files and in one line of each registry, and nowhere else.

``docs/add-a-service.md`` promises that to whoever adds the next one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hosted_model_runtime.services import ADAPTERS

ROOT = Path(__file__).parents[2]
#: What runs on AWS, at synth, in the command and in the local cloud.
PACKAGES = ("lambda", "constructs", "cli", "local")
#: Where every service has a line, a class or a function: registries, names and limits, exports, the demo.
REGISTRIES = {
    "lambda/hosted_model_runtime/contract.py",
    "lambda/hosted_model_runtime/services/__init__.py",
    "constructs/hosted_model/__init__.py",
    "constructs/hosted_model/grants/__init__.py",
    "cli/hosted_model_cli/services/__init__.py",
    "local/hosted_model_local/demo_services.py",
    "local/hosted_model_local/simulator/registry.py",
}


@pytest.mark.parametrize("service", sorted(ADAPTERS))
def test_a_service_is_named_in_its_own_files_and_the_registries(service: str) -> None:
    named = {str(file.relative_to(ROOT)) for file in _sources() if _names(file, service)}
    own = {file for file in named if Path(file).stem == service}
    assert {Path(file).parts[0] for file in own} == set(PACKAGES)
    assert {file for file in named if Path(file).stem not in ADAPTERS} == REGISTRIES


def _sources() -> list[Path]:
    return [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]


def _names(file: Path, service: str) -> bool:
    """Say whether the code names the service; what comments and docstrings cite is of no account."""
    text = re.sub(r'"""(?s:.*?)"""|#.*', "", file.read_text(encoding="utf-8"))
    return service in text.lower()
