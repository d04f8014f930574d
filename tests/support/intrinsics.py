"""CloudFormation's intrinsic functions, as far as the templates of the tests have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

ACCOUNT, REGION = "000000000000", "us-east-1"
#: What a logical ID, or one of its attributes, stands for; without an attribute it is what Ref gives.
Lookup = Callable[[str, str | None], Any]
_VARIABLE = re.compile(r"\$\{([^!}]+)\}")


def resolve(value: Any, stack_id: str, lookup: Lookup) -> Any:
    """Return the value with every intrinsic function replaced by what it gives."""
    if isinstance(value, list):
        return [resolve(item, stack_id, lookup) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": str(name)}:
            return _ref(name, stack_id, lookup)
        case {"Fn::Join": [separator, parts]}:
            return separator.join(resolve(parts, stack_id, lookup))
        case {"Fn::Select": [index, items]}:
            return resolve(items, stack_id, lookup)[int(index)]
        case {"Fn::Split": [separator, text]}:
            return resolve(text, stack_id, lookup).split(separator)
        case {"Fn::GetAtt": [name, attribute]}:
            return lookup(name, attribute)
        case {"Fn::Sub": str(text)}:
            return _VARIABLE.sub(lambda found: _variable(found[1], stack_id, lookup), text)
    return {key: resolve(item, stack_id, lookup) for key, item in value.items()}


def references(value: Any) -> Iterator[str]:
    """Yield every logical ID or pseudo parameter to which a part of a template refers."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), _]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from (name.split(".")[0] for name in _VARIABLE.findall(text))
        case _:
            for item in value.values():
                yield from references(item)


def _ref(name: str, stack_id: str, lookup: Lookup) -> Any:
    known = {
        "AWS::Partition": "aws",
        "AWS::StackId": stack_id,
        "AWS::StackName": stack_id.split("/")[1] if "/" in stack_id else stack_id,
        "AWS::AccountId": ACCOUNT,
        "AWS::Region": REGION,
        "AWS::URLSuffix": "amazonaws.com",
    }
    return known[name] if name in known else lookup(name, None)


def _variable(name: str, stack_id: str, lookup: Lookup) -> str:
    resource, _, attribute = name.partition(".")
    return str(lookup(resource, attribute) if attribute else _ref(resource, stack_id, lookup))
