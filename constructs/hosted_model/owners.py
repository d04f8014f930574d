"""A model has one owner: two constructs that name the same model would fight over it at deploy time."""

from __future__ import annotations

import json
from weakref import WeakKeyDictionary

import jsii
from aws_cdk import Stack, Token
from constructs import Construct, IConstruct, IValidation

from .checks import Checks

#: Of each app, which construct declares a model; see `_key`.
_OWNERS: WeakKeyDictionary[IConstruct, dict[tuple[str, ...], str]] = WeakKeyDictionary()
#: Begins what is known at deploy only; no name of a model has it.
_UNKNOWN = ("<", "${")


def declare(construct: Construct, checks: Checks, service: str, names: tuple[str, str]) -> None:
    """Refuse a model that another construct of the app declares; where its names are tokens, at synth.

    Raises
    ------
    ValueError
        When the names are known, and declared already.
    """
    if any(map(Token.is_unresolved, names)):
        # What refers to another stack reads like a reference of this one until the CDK has resolved it.
        construct.node.add_validation(_OneOwner(construct, checks.path, service, names))
    elif wrong := _wrong(construct, checks.path, service, names):
        checks.fail(wrong)


@jsii.implements(IValidation)
class _OneOwner:
    def __init__(self, construct: Construct, path: str, service: str, names: tuple[str, str]) -> None:
        self._declared = (construct, path, service, names)

    def validate(self) -> list[str]:
        """Say whose the model is, if it is another construct's."""
        wrong = _wrong(*self._declared)
        return [wrong] if wrong else []


def _wrong(construct: Construct, path: str, service: str, names: tuple[str, str]) -> str | None:
    owners = _OWNERS.setdefault(construct.node.root, {})
    *_, project, version = key = _key(Stack.of(construct), service, names)
    owner = owners.setdefault(key, path)
    if owner == path:
        return None
    return f"model {project}/{version} is declared by {owner} already: a model has one owner"


def _key(stack: Stack, service: str, names: tuple[str, str]) -> tuple[str, ...]:
    """Return what two declarations of one model have in common."""
    known = tuple(_text(stack.resolve(name)) for name in names)
    if any(mark in name for name in known for mark in _UNKNOWN):
        # The same reference may mean something else in another stack.
        return (service, stack.node.path, *known)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    environment = (stack.account, stack.region)
    where = (stack.node.path,) if any(map(Token.is_unresolved, environment)) else environment
    return (service, *where, *known)


def _text(value: object) -> str:
    """Write a resolved value as one text, in which what is known at deploy only stands without a slash."""
    match value:
        case str(known) | {"Fn::Sub": str(known)}:
            return known
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(_text, parts))
        case {"Fn::Select": [index, {"Fn::Split": [str(separator), whole]}]}:
            pieces = _text(whole).split(separator)
            if int(index) < len(pieces):
                return pieces[int(index)]
    return "<" + json.dumps(value, sort_keys=True).replace("/", "\\u002f") + ">"
