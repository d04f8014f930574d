"""What the upgrading page says of logical IDs is what it does."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from unit.docs.pages import blocks


def test_the_ids_of_version_0_1_are_given_back(tmp_path: Path) -> None:
    (block,) = (each for each in blocks("python") if each.page == "docs/upgrading.md")
    names: dict[str, Any] = {"app": App(outdir=str(tmp_path))}
    exec(block.text, names)
    found = set(Template.from_stack(names["stack"]).to_json()["Resources"])
    assert {each for each in found if each.startswith("Provider")} == {
        f"ProviderFunction{_digest('Provider/Function/Resource')}",
        f"ProviderLogs{_digest('Provider/Logs/Resource')}",
        f"ProviderRelayPermission{_digest('Provider/RelayPermission')}",
        f"ProviderRolePolicy{_digest('Provider/Role/Policy/Resource')}",
        f"ProviderRolePolicy2{_digest('Provider/Role/Policy2/Resource')}",
        f"ProviderRole{_digest('Provider/Role/Resource')}",
    }
    assert not [each for each in found if each.startswith("HostedModelProvider")]


def _digest(path: str) -> str:
    """What the CDK puts after a logical ID."""
    return hashlib.md5(path.encode()).hexdigest()[:8].upper()
