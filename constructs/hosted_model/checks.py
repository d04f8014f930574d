"""Synth-time checks: each failure names the construct's path, the value and the rule. Tokens pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from aws_cdk import Duration, RemovalPolicy, Token
from constructs import Construct

from hosted_model_runtime import contract
from hosted_model_runtime.contract import SERVICE_TIMEOUT_MAX, SERVICE_TIMEOUT_MIN


class Checks:
    """Checks the properties of the construct that is about to be made."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        self.path = f"{scope.node.path}/{construct_id}".lstrip("/")

    def fail(self, wrong: str) -> NoReturn:
        """Raise ValueError with the construct's path."""
        raise ValueError(f"{self.path}: {wrong}")

    def members(self, limits: Mapping[str, contract.Limit], model: Mapping[str, object]) -> None:
        """Check what names the model against the limits of the service's API reference."""
        for name, value in model.items():
            if not Token.is_unresolved(value) and (wrong := limits[name].check(value)):
                self.fail(wrong)

    def units(self, minimum: int, maximum: int | None, name: str = "min_inference_units") -> None:
        """Check units; ``name`` is what the construct calls the minimum."""
        # A number token is a large negative number: it must be recognised before any range is checked.
        known_minimum = contract.INFERENCE_UNITS_MIN if Token.is_unresolved(minimum) else minimum
        known_maximum = None if maximum is None or Token.is_unresolved(maximum) else maximum
        if wrong := contract.check_units(known_minimum, known_maximum, name):
            self.fail(wrong)

    def timeout(self, timeout: Duration | None) -> int:
        """Return the seconds of hosting_timeout, or the longest that CloudFormation waits."""
        if timeout is None:
            return SERVICE_TIMEOUT_MAX
        if timeout.is_unresolved():
            self.fail("hosting_timeout must be known at synth, but it is a token")
        milliseconds = timeout.to_milliseconds()
        seconds = int(milliseconds / 1000)
        if milliseconds % 1000 or not SERVICE_TIMEOUT_MIN <= seconds <= SERVICE_TIMEOUT_MAX:
            self.fail(
                f"hosting_timeout must be whole seconds from {SERVICE_TIMEOUT_MIN} to {SERVICE_TIMEOUT_MAX}, "
                f"but it is {milliseconds / 1000:g} (ServiceTimeout, AWS::CloudFormation::CustomResource)"
            )
        return seconds

    def one_of(self, name: str, value: object, kind: type) -> None:
        """Check that a value is a member of an enumeration, not its text."""
        if not isinstance(value, kind):
            self.fail(f"{name} must be a member of {kind.__name__}, but it is {value!r}")

    def removal_policy(self, policy: RemovalPolicy) -> None:
        """Refuse the policy that a custom resource cannot have."""
        self.one_of("removal_policy", policy, RemovalPolicy)
        if policy is RemovalPolicy.SNAPSHOT:
            self.fail("removal_policy must be DESTROY or RETAIN, but it is SNAPSHOT: models have none")
