"""LookoutVisionModel: an Amazon Lookout for Vision model, hosted."""

from __future__ import annotations

from aws_cdk import Annotations, ArnFormat, Duration, RemovalPolicy, Stack
from constructs import Construct

from hosted_model_runtime.contract import LookoutVision as Names

from .model import HostedModel, OnRunning
from .service import ServiceGrants

#: Silence it with ``Annotations.of(model).acknowledge_warning(RETIRED)``.
RETIRED = "cdk-hosted-model:lookoutvision-retired"


class LookoutVisionModel(HostedModel):
    """A version of an Amazon Lookout for Vision model, running for as long as the stack declares it.

    AWS retired Lookout for Vision on 2025-10-31; a warning says so at synth. Follows "StartModel" of the
    Amazon Lookout for Vision API Reference.

    Parameters
    ----------
    scope, construct_id
        As for every construct.
    project_name
        1 to 255 characters, ``[a-zA-Z0-9][a-zA-Z0-9_\\-]*``. A change hosts the new model before the old one
        is stopped.
    model_version
        A number without leading zeros, of 1 to 10 digits, or ``latest``: the version that is the latest when
        the resource is created; it stays with that version.
    min_inference_units
        At least 1; billed for each hour of hosting. A change stops the model and starts it again: expect 10
        to 20 minutes without service.
    max_inference_units
        At least ``min_inference_units``. Default: no auto-scaling.
    on_running
        What to do when the model already runs and no stack owns it. Default: fail.
    hosting_timeout
        1 to 60 minutes for a start or a stop. Default: 60 minutes, the longest that CloudFormation waits.
    removal_policy
        DESTROY stops the model when it is no longer declared; RETAIN leaves it running, and billed.
        Default: DESTROY.

    Raises
    ------
    ValueError
        When a property breaks its limit; the text begins with the construct's path.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project_name: str,
        model_version: str,
        min_inference_units: int = 1,
        max_inference_units: int | None = None,
        on_running: OnRunning = OnRunning.FAIL,
        hosting_timeout: Duration | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    ) -> None:
        stack = Stack.of(scope)
        super().__init__(
            scope,
            construct_id,
            grants=_grants(stack),
            model={Names.PROJECT_NAME: project_name, Names.MODEL_VERSION: model_version},
            claim_arn=_arn(stack, project_name, "*" if model_version == Names.LATEST else model_version),
            min_inference_units=min_inference_units,
            max_inference_units=max_inference_units,
            on_running=on_running,
            hosting_timeout=hosting_timeout,
            removal_policy=removal_policy,
        )
        self._check_member(Names.LIMITS[Names.PROJECT_NAME], project_name)
        self._check_member(Names.LIMITS[Names.MODEL_VERSION], model_version)
        Annotations.of(self).add_warning_v2(
            RETIRED,
            "AWS retired Amazon Lookout for Vision on 2025-10-31; RekognitionCustomLabelsModel hosts models "
            "of a service that lives.",
        )


def _arn(stack: Stack, project: str, version: str) -> str:
    return stack.format_arn(
        service=Names.SERVICE,
        resource="model",
        resource_name=f"{project}/{version}",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def _grants(stack: Stack) -> ServiceGrants:
    return ServiceGrants(
        service=Names.SERVICE,
        prefix="LookoutVision",
        every_model=[_arn(stack, "*", "*")],
        read=["lookoutvision:DescribeModel", "lookoutvision:ListTagsForResource"],
        # ListModels knows no resource; it finds the version that `latest` meant when it was started.
        list=["lookoutvision:ListModels"],
        start="lookoutvision:StartModel",
        stop="lookoutvision:StopModel",
        tag="lookoutvision:TagResource",
        untag="lookoutvision:UntagResource",
    )
