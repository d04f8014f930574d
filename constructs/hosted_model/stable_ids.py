"""The IDs of a provider's parts, which stay when a provider is made explicit, renamed or moved in its stack.

CloudFormation refuses to change the ServiceToken of a custom resource, so the function of a stack must keep
its logical ID. Every part has the ID that it has in a provider that a hosted model makes by itself.
"""

from __future__ import annotations

from aws_cdk import App, CfnElement, CfnResource, Names, Stack, Stage
from constructs import Construct, IConstruct

#: What the provider is called where a hosted model makes it, directly below its stack.
PROVIDER_ID = "HostedModelProvider"


def keep(provider: Construct, made: IConstruct) -> None:
    """Give ``made``, a part of the provider, and all that is below it the logical IDs that stay."""
    stack = Stack.of(provider)
    if provider.node.scope is stack and provider.node.id == PROVIDER_ID:
        return
    elsewhere = Stack(_elsewhere(provider), "Stack")
    for element in made.node.find_all():
        if isinstance(element, CfnElement):
            *above, last = element.node.path.removeprefix(f"{provider.node.path}/").split("/")
            twin = CfnResource(_below(elsewhere, PROVIDER_ID, *above), last, type="Custom::Twin")
            # The user's stack decides: it may have names of its own for logical IDs.
            element.override_logical_id(stack.get_logical_id(twin))


def unique_id(provider: Construct, construct_id: str) -> str:
    """Return what ``Names.unique_id`` says of a part of a provider that a hosted model makes by itself."""
    path = Stack.of(provider).node.path.split("/")
    return Names.unique_id(_below(_elsewhere(provider), *path, PROVIDER_ID, construct_id))


def _elsewhere(provider: Construct) -> Construct:
    """Return an app that is never synthesised; its folder is one that is there already."""
    stage = Stage.of(provider)
    return App(outdir=stage.outdir if stage else None, auto_synth=False, analytics_reporting=False)


def _below(scope: Construct, *path: str) -> Construct:
    place = scope
    for construct_id in path:
        found = place.node.try_find_child(construct_id)
        place = found if isinstance(found, Construct) else Construct(place, construct_id)
    return place
