"""HostedModel: the L2 base of every service's construct."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack, Token
from constructs import Construct, IConstruct

from hosted_model_runtime import contract
from hosted_model_runtime.contract import (
    RESOURCE_TYPE,
    SERVICE_TIMEOUT_MAX,
    SERVICE_TIMEOUT_MIN,
    Attribute,
    Property,
)

from .provider import HostedModelProvider
from .service import ServiceGrants


class OnRunning(Enum):
    """What a deploy does with a model that already runs and that no stack owns.

    ``FAIL`` leaves it alone and fails the deploy. ``ADOPT`` makes it this stack's: deleting the stack stops
    it. A model that another stack owns is never taken.
    """

    FAIL = contract.OnRunning.FAIL
    ADOPT = contract.OnRunning.ADOPT


#: The models of each app, by environment and identity, with the path of the construct that declares them.
_DECLARED: WeakKeyDictionary[IConstruct, dict[tuple[str, ...], str]] = WeakKeyDictionary()


class HostedModel(Construct):
    """A model that is hosted for as long as the stack declares it.

    Deploying returns when the model answers; what depends on this construct, or uses ``model_arn``, waits for
    that. Use a service's own construct, such as :class:`LookoutVisionModel`.

    Attributes
    ----------
    model_arn, model_version, status, hosted_at
        Known after the deploy: the ARN; the version, a number where ``latest`` was declared; the service's
        status, such as ``HOSTED``; since when it is hosted, UTC, as ``20260131T235959Z``.
    provider
        The stack's provider.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        grants: ServiceGrants,
        model: Mapping[str, str],
        claim_arn: str,
        min_inference_units: int,
        max_inference_units: int | None,
        on_running: OnRunning,
        hosting_timeout: Duration | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self._check_units(min_inference_units, max_inference_units)
        timeout = self._check_timeout(hosting_timeout)
        self._check_single(grants.service, model)
        self.provider = HostedModelProvider.of(self)
        self.provider.declare(grants, claim_arn)
        properties: dict[str, Any] = {
            Property.SERVICE: grants.service,
            Property.MODEL: dict(model),
            Property.MIN_INFERENCE_UNITS: min_inference_units,
            Property.MAX_INFERENCE_UNITS: max_inference_units,
            Property.ON_RUNNING: on_running.value,
            Property.TIMEOUT_SECONDS: timeout,
        }
        self._resource = CustomResource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            service_token=self.provider.function.function_arn,
            service_timeout=Duration.seconds(timeout),
            removal_policy=removal_policy,
            properties={name: value for name, value in properties.items() if value is not None},
        )
        # Of what the function needs, it refers to none of these by itself: without the dependency
        # CloudFormation may delete them before the Delete that needs them.
        self._resource.node.add_dependency(*self.provider.needs)
        self.model_arn = self._resource.get_att_string(Attribute.MODEL_ARN)
        self.model_version = self._resource.get_att_string(Attribute.MODEL_VERSION)
        self.status = self._resource.get_att_string(Attribute.STATUS)
        self.hosted_at = self._resource.get_att_string(Attribute.HOSTED_AT)

    def _fail(self, wrong: str) -> None:
        raise ValueError(f"{self.node.path}: {wrong}")

    def _check_member(self, limit: contract.Limit, value: str) -> None:
        if not Token.is_unresolved(value) and (wrong := limit.check(value)):
            self._fail(wrong)

    def _check_units(self, minimum: int, maximum: int | None) -> None:
        # A number token is a large negative number: it must be recognised before any range is checked.
        known_minimum = contract.INFERENCE_UNITS_MIN if Token.is_unresolved(minimum) else minimum
        known_maximum = None if maximum is None or Token.is_unresolved(maximum) else maximum
        if wrong := contract.check_units(known_minimum, known_maximum):
            self._fail(wrong)

    def _check_timeout(self, timeout: Duration | None) -> int:
        if timeout is None:
            return SERVICE_TIMEOUT_MAX
        seconds = int(timeout.to_seconds())
        if not SERVICE_TIMEOUT_MIN <= seconds <= SERVICE_TIMEOUT_MAX:
            self._fail(
                f"hosting_timeout must be from {SERVICE_TIMEOUT_MIN} to {SERVICE_TIMEOUT_MAX} seconds, "
                f"but it is {seconds} (ServiceTimeout, AWS::CloudFormation::CustomResource)"
            )
        return seconds

    def _check_single(self, service: str, model: Mapping[str, str]) -> None:
        """Two owners of one model would fight over it at deploy time: say so at synth."""
        stack = Stack.of(self)
        environment = (stack.account, stack.region)
        where = (stack.node.path,) if any(map(Token.is_unresolved, environment)) else environment
        key = (service, *where, *(f"{name}={value}" for name, value in sorted(model.items())))
        declared = _DECLARED.setdefault(self.node.root, {})
        if key in declared:
            self._fail(f"the same model is declared by {declared[key]}: a model has one owner")
        declared[key] = self.node.path
