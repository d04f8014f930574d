"""HostedModel: the L2 base of every service's construct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from aws_cdk import Annotations, CfnResource, CustomResource, Duration, RemovalPolicy
from constructs import Construct

from hosted_model_runtime import contract
from hosted_model_runtime.contract import RESOURCE_TYPE, Attribute, Property

from . import hours, owners
from .checks import Checks
from .grants import ServiceGrants
from .hours import HostingHours
from .interface import HostedModelBase
from .provider import HostedModelProvider

#: Silence it with ``Annotations.of(model).acknowledge_warning(UNITS)``.
UNITS = "cdk-hosted-model:units"
#: Silence it with ``Annotations.of(model).acknowledge_warning(RETAINED)``.
RETAINED = "cdk-hosted-model:retained"
#: Silence it with ``Annotations.of(model).acknowledge_warning(SHORT_TIMEOUT)``.
SHORT_TIMEOUT = "cdk-hosted-model:short-timeout"
#: Seconds. If the function is killed, Lambda delivers the event again after a minute, and that delivery waits
#: until its reads are surely up to date. With less time than this it may end before it has acted.
TIMEOUT_ADVISED = 600


class OnRunning(Enum):
    """What a deploy does with a model that already runs and that no stack owns.

    ``FAIL`` leaves it alone and fails the deploy. ``ADOPT`` makes it this stack's: deleting the stack stops
    it. A model that another stack owns is never taken.
    """

    FAIL = contract.OnRunning.FAIL
    ADOPT = contract.OnRunning.ADOPT


@dataclass(frozen=True, slots=True)
class Declaration:
    """One model as a service's own construct declares it.

    Attributes
    ----------
    grants
        What the function may do with models of the service.
    model
        The members that name the model to the function.
    names
        Project and version: unique in an account and region, however the model is named.
    claim_arn
        The narrowest ARN or pattern that is known before the deploy.
    units_by_default
        How many units an account may give one model unless it has asked for more; None where all may.
    """

    grants: ServiceGrants
    model: Mapping[str, str]
    names: tuple[str, str]
    claim_arn: str
    units_by_default: int | None = None


class HostedModel(HostedModelBase):
    """A model that is hosted for as long as the stack declares it.

    Deploying returns when the model answers; what depends on this construct, or uses ``model_arn``, waits for
    that. Use a service's own construct, such as :class:`LookoutVisionModel`.

    ``Tags.of(scope)`` tags the function, its role and its log group. It does not tag the model: the model is
    not made by this stack but where it was trained, and of its tags the stack writes only those that begin
    with ``hosted-model:``, which say who hosts it. Tag the model where it is trained.

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
        declaration: Declaration,
        min_inference_units: int,
        max_inference_units: int | None,
        on_running: OnRunning,
        hosting_timeout: Duration | None,
        hosting_hours: HostingHours | Sequence[HostingHours] | None,
        removal_policy: RemovalPolicy,
    ) -> None:
        checks = Checks(scope, construct_id)
        checks.units(min_inference_units, max_inference_units)
        checks.one_of("on_running", on_running, OnRunning)
        checks.removal_policy(removal_policy)
        timeout = checks.timeout(hosting_timeout)
        windows = hours.windows(checks, hosting_hours)
        super().__init__(scope, construct_id)
        owners.declare(self, checks, declaration.grants.service, declaration.names)
        self.provider = HostedModelProvider.of(self)
        self.provider.declare(declaration.grants, declaration.claim_arn)
        properties: dict[str, Any] = {
            Property.SERVICE: declaration.grants.service,
            Property.MODEL: dict(declaration.model),
            Property.MIN_INFERENCE_UNITS: min_inference_units,
            Property.MAX_INFERENCE_UNITS: max_inference_units,
            Property.ON_RUNNING: on_running.value,
            Property.TIMEOUT_SECONDS: timeout,
            Property.HOSTING_HOURS: "true" if windows else None,
        }
        properties = {name: value for name, value in properties.items() if value is not None}
        resource = CustomResource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            service_token=self.provider.function.function_arn,
            service_timeout=Duration.seconds(timeout),
            removal_policy=removal_policy,
            properties=properties,
        )
        # Of what the function needs, it refers to none of these by itself: without the dependency
        # CloudFormation may delete them before the Delete that needs them.
        resource.node.add_dependency(*self.provider.needs)
        # CDK takes the child "Resource" for it, which is a construct; an escape hatch wants the CfnResource.
        self.node.default_child = made = resource.node.default_child
        if windows and isinstance(made, CfnResource):
            provider = self.provider
            queue = provider.dead_letter_queue
            hours.schedule(
                self,
                windows,
                made,
                provider.function.function_arn,
                provider.schedule_role.role_arn,
                queue.queue_arn if queue else None,
                properties,
            )
        self.model_arn = resource.get_att_string(Attribute.MODEL_ARN)
        self.model_version = resource.get_att_string(Attribute.MODEL_VERSION)
        self.status = resource.get_att_string(Attribute.STATUS)
        self.hosted_at = resource.get_att_string(Attribute.HOSTED_AT)
        self._names = declaration.names
        hours.warn(self, windows)
        self._warn_of_units(declaration, min_inference_units, max_inference_units)
        if timeout < TIMEOUT_ADVISED:
            Annotations.of(self).add_warning_v2(
                SHORT_TIMEOUT,
                f"hosting_timeout is {timeout} s: with less than {TIMEOUT_ADVISED} s there may be no time "
                "left to try again if the function is killed. A Create may then fail without a start, and a "
                "Delete with the model still running.",
            )
        if removal_policy is not RemovalPolicy.DESTROY:
            Annotations.of(self).add_warning_v2(
                RETAINED,
                "removal_policy keeps this model running, and billed, after the stack no longer declares it, "
                "replacement included. It keeps its hosted-model: tags: remove them before another stack "
                "hosts it.",
            )

    def _warn_of_units(self, declaration: Declaration, minimum: int, maximum: int | None) -> None:
        most, usual = max(minimum, maximum or minimum), declaration.units_by_default
        if usual is not None and most > usual:
            name, most = (
                ("min_inference_units", minimum) if minimum > usual else ("max_inference_units", most)
            )
            Annotations.of(self).add_warning_v2(
                UNITS,
                f"{name} is {most:,}, and {usual} is the most that an account gives one model unless it has "
                "asked for more: without that the deploy fails, and with it each unit is billed.",
            )
