"""The templates of the app histories are those that the CDK synthesises."""

from __future__ import annotations

import pytest

from support.apps import Declared, StackOfApp, filled, fresh, logical_id, normal

LOOKOUT, REKOGNITION = "lookoutvision", "rekognition"
APPS = {
    "nothing but a neighbour": StackOfApp(neighbour=3),
    "a provider without a model": StackOfApp(provider="explicit", memory=512),
    "a model": StackOfApp({("A",): Declared(LOOKOUT, False, "2", units=2)}),
    "a model in a scope, retained": StackOfApp(
        {("Site", "B"): Declared(REKOGNITION, False, "7", retain=True)}
    ),
    "one of each, with hours": StackOfApp(
        {("C",): Declared(REKOGNITION, True, "8"), ("A",): Declared(LOOKOUT, True, "1", units=2, adopts=True)}
    ),
    "three, one asleep at night, a renamed provider": StackOfApp(
        {
            ("C",): Declared(LOOKOUT, False, "1"),
            ("A",): Declared(LOOKOUT, False, "2"),
            ("Site", "A"): Declared(LOOKOUT, True, "3", retain=True),
        },
        provider="renamed",
    ),
    "a provider in a scope": StackOfApp({("A",): Declared(LOOKOUT, True, "1")}, provider="moved", memory=512),
}


@pytest.mark.parametrize("name", APPS)
def test_a_filled_template_is_what_a_fresh_synth_gives(name: str) -> None:
    assert normal(filled(APPS[name])) == normal(fresh(APPS[name]))


def test_a_logical_id_is_the_cdk_s() -> None:
    assert logical_id(("Neighbour",)) == "Neighbour"
    assert (
        logical_id(("HostedModelProvider", "Function", "Resource")) == "HostedModelProviderFunction3B82E2EC"
    )
