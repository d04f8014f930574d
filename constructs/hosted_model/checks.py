"""Synth-time checks: each failure names the construct's path, the value and the rule. Tokens pass."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

from aws_cdk import Duration, RemovalPolicy, Token
from constructs import Construct

from hosted_model_runtime import contract
from hosted_model_runtime.contract import SERVICE_TIMEOUT_MAX, SERVICE_TIMEOUT_MIN


def is_token(value: object) -> bool:
    """Say whether a value is known at deploy only. The CDK's own question fails for some that are not."""
    match value:
        case float():
            # A number token is a large negative float. NaN and infinity may not go to Node: JSON has none.
            return math.isfinite(value) and Token.is_unresolved(value)
        case str():
            return Token.is_unresolved(value)
    return False


class Checks:
    """Checks the properties of the construct that is about to be made, or the arguments of its method."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        if not isinstance(scope, Construct):
            raise ValueError(f"{construct_id}: scope must be a construct, but it is {scope!r}")  # noqa: TRY004
        self.path = f"{scope.node.path}/{construct_id}".lstrip("/")
        self.text("construct_id", construct_id)

    @classmethod
    def of(cls, construct: Construct) -> Checks:
        """Return the checks of a method of a construct that is there."""
        made = cls.__new__(cls)
        made.path = construct.node.path
        return made

    def fail(self, wrong: str) -> NoReturn:
        """Raise ValueError with the construct's path."""
        raise ValueError(f"{self.path}: {wrong}")

    def members(self, limits: Mapping[str, contract.Limit], model: Mapping[str, object]) -> None:
        """Check what names the model against the limits of the service's API reference."""
        for name, value in model.items():
            if not is_token(value) and (wrong := limits[name].check(value)):
                self.fail(wrong)

    def units(self, minimum: int, maximum: int | None, name: str = "min_inference_units") -> None:
        """Check units; ``name`` is what the construct calls the minimum."""
        # A number token is a large negative number: it must be recognised before any range is checked.
        known_minimum = contract.INFERENCE_UNITS_MIN if is_token(minimum) else minimum
        known_maximum = None if maximum is None or is_token(maximum) else maximum
        if wrong := contract.check_units(known_minimum, known_maximum, name):
            self.fail(wrong)

    def timeout(self, timeout: Duration | None) -> int:
        """Return the seconds of hosting_timeout, or the longest that CloudFormation waits."""
        if timeout is None:
            return SERVICE_TIMEOUT_MAX
        milliseconds = self.milliseconds("hosting_timeout", timeout)
        seconds = int(milliseconds / 1000)
        if milliseconds % 1000 or not SERVICE_TIMEOUT_MIN <= seconds <= SERVICE_TIMEOUT_MAX:
            self.fail(
                f"hosting_timeout must be whole seconds from {SERVICE_TIMEOUT_MIN} to {SERVICE_TIMEOUT_MAX}, "
                f"but it is {milliseconds / 1000:g} (ServiceTimeout, AWS::CloudFormation::CustomResource)"
            )
        return seconds

    def milliseconds(self, name: str, value: object) -> float:
        """Return how long a Duration is, which must be known at synth."""
        if not isinstance(value, Duration):
            self.fail(f"{name} must be a Duration, such as Duration.minutes(30), but it is {value!r}")
        if value.is_unresolved():
            self.fail(f"{name} must be known at synth, but it is a token")
        return float(value.to_milliseconds())

    def one_of(self, name: str, value: object, kind: type) -> None:
        """Check that a value is a member of an enumeration, not its text."""
        if not isinstance(value, kind):
            self.fail(f"{name} must be a member of {kind.__name__}, but it is {value!r}")

    def whole(self, name: str, value: object, minimum: int, maximum: int | None = None) -> None:
        """Check a whole number."""
        if is_token(value):
            return
        wanted = f"from {minimum} to {maximum}" if maximum else f"of at least {minimum}"
        if (
            isinstance(value, bool)
            or not isinstance(value, int)
            or not minimum <= value <= (maximum or value)
        ):
            self.fail(f"{name} must be a whole number {wanted}, but it is {value!r}")

    def text(self, name: str, value: object) -> None:
        """Check a string, which may be a token."""
        if not isinstance(value, str) or not value:
            self.fail(f"{name} must be a string that is not empty, but it is {value!r}")

    def boolean(self, name: str, value: object) -> None:
        """Check a truth value."""
        if not isinstance(value, bool):
            self.fail(f"{name} must be True or False, but it is {value!r}")

    def has(self, name: str, value: object, attribute: str, kind: str) -> None:
        """Check something of the CDK by what it has: its interfaces are no classes to ask for."""
        # What is imported has it by a proxy, not by its class.
        if not hasattr(value, attribute):
            self.fail(f"{name} must be an {kind}, but it is {value!r}")

    def several(self, name: str, value: object, attribute: str, kind: str) -> None:
        """Check a sequence of what has an attribute."""
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.fail(f"{name} must be a list of {kind}, but it is {value!r}")
        for number, each in enumerate(value):
            self.has(f"{name}[{number}]", each, attribute, kind)

    def known(self, given: Mapping[str, object], names: Iterable[str]) -> None:
        """Refuse keyword arguments that there are not."""
        known = sorted(names)
        for name in given:
            if name not in known:
                self.fail(f"there is no argument {name}: there are {', '.join(known)}")

    def removal_policy(self, policy: RemovalPolicy) -> None:
        """Refuse the policy that a custom resource cannot have."""
        self.one_of("removal_policy", policy, RemovalPolicy)
        if policy is RemovalPolicy.SNAPSHOT:
            self.fail("removal_policy must be DESTROY or RETAIN, but it is SNAPSHOT: models have none")
