"""LookoutVisionModel: an Amazon Lookout for Vision model, hosted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Unpack

from aws_cdk import Annotations, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from hosted_model_runtime.contract import LookoutVision as Names

from .checks import Checks, is_token
from .grants import lookoutvision
from .hours import HostingHours
from .interface import HasInferenceUnits
from .metric_options import MetricOptions
from .model import Declaration, HostedModel, OnRunning
from .observe import Calls

#: Silence it with ``Annotations.of(model).acknowledge_warning(RETIRED)``.
RETIRED = "cdk-hosted-model:lookoutvision-retired"

_ARN = re.compile(r"arn:[a-z\d-]+:lookoutvision:[a-z\d-]+:\d{12}:model/[a-zA-Z0-9][\w\-]*/[1-9]\d{0,9}")


class LookoutVisionModelBase(HasInferenceUnits):
    """Grants and metrics of a Lookout for Vision model, whoever hosts it.

    The metrics are those of "Monitoring Lookout for Vision with Amazon CloudWatch" in the Amazon Lookout for
    Vision Developer Guide: by project and model version; counts are sums, all others averages.
    """

    METRIC_SERVICE = Names.SERVICE
    METRIC_NAMESPACE = "AWS/LookoutVision"
    METRIC_DIMENSIONS = ("ProjectName", "ModelVersion")

    def grant_detect_anomalies(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow DetectAnomalies with this model."""
        return self.grant(grantee, "lookoutvision:DetectAnomalies")

    def grant_describe(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow DescribeModel, which tells the status."""
        return self.grant(grantee, "lookoutvision:DescribeModel")

    def metric_detected_anomaly_count(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many images were found anomalous."""
        return self._sum("DetectedAnomalyCount", options)

    def metric_processed_image_count(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many images were inspected."""
        return self._sum("ProcessedImageCount", options)

    def metric_invalid_image_count(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many images could not be inspected."""
        return self._sum("InvalidImageCount", options)

    def metric_successful_request_count(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many calls succeeded."""
        return self._sum("SuccessfulRequestCount", options)

    def metric_error_count(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many calls failed."""
        return self._sum("ErrorCount", options)

    def metric_throttled_count(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many calls were throttled."""
        return self._sum("ThrottledCount", options)

    def metric_time(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how long an inspection took, in milliseconds."""
        return self.metric("Time", **options)

    def _calls(self, period: Duration) -> Calls:
        return Calls(
            requests=self.metric_successful_request_count(period=period),
            errors=[self.metric_error_count(period=period)],
            throttles=self.metric_throttled_count(period=period),
            latency=self.metric_time(period=period),
            whose="this model",
        )


class LookoutVisionModel(HostedModel, LookoutVisionModelBase):
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
        Less than 10 leaves no time for a second try, and is warned of.
    hosting_hours
        When the model is hosted; outside these hours it sleeps. A deploy leaves it as it is, asleep or awake,
        but the first one hosts it whatever the hour. Default: always.
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
        hosting_hours: HostingHours | Sequence[HostingHours] | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    ) -> None:
        model = {Names.PROJECT_NAME: project_name, Names.MODEL_VERSION: model_version}
        Checks(scope, construct_id).members(Names.LIMITS, model)
        stack = Stack.of(scope)
        latest = model_version == Names.LATEST
        super().__init__(
            scope,
            construct_id,
            declaration=Declaration(
                grants=lookoutvision.grants(stack),
                model=model,
                names=(project_name, model_version),
                units_by_default=Names.INFERENCE_UNITS_BY_DEFAULT,
                claim_arn=lookoutvision.arn(stack, project_name, "*" if latest else model_version),
            ),
            min_inference_units=min_inference_units,
            max_inference_units=max_inference_units,
            on_running=on_running,
            hosting_timeout=hosting_timeout,
            hosting_hours=hosting_hours,
            removal_policy=removal_policy,
        )
        if latest:
            # Metrics know numbers only.
            self._names = (project_name, self.model_version)
        Annotations.of(self).add_warning_v2(
            RETIRED,
            "AWS retired Amazon Lookout for Vision on 2025-10-31; RekognitionCustomLabelsModel hosts models "
            "of a service that lives.",
        )

    @staticmethod
    def from_model_arn(scope: Construct, construct_id: str, model_arn: str) -> LookoutVisionModelBase:
        """Return a model that something else hosts, for its grants and metrics; nothing is deployed."""
        checks = Checks(scope, construct_id)
        checks.text("model_arn", model_arn)
        if not is_token(model_arn) and not _ARN.fullmatch(model_arn):
            checks.fail(f"model_arn must be the ARN of a Lookout for Vision model, but it is {model_arn!r}")
        parts = Fn.split("/", model_arn)
        return _Imported(scope, construct_id, model_arn, (Fn.select(1, parts), Fn.select(2, parts)))

    @staticmethod
    def from_model_attributes(
        scope: Construct, construct_id: str, *, project_name: str, model_version: str
    ) -> LookoutVisionModelBase:
        """Return a model of the stack's account and region that something else hosts.

        ``latest`` is no version here: only the service knows which one that is.
        """
        checks = Checks(scope, construct_id)
        checks.members(Names.LIMITS, {Names.PROJECT_NAME: project_name, Names.MODEL_VERSION: model_version})
        if model_version == Names.LATEST:
            checks.fail("model_version must be a number here, but it is 'latest'")
        arn = lookoutvision.arn(Stack.of(scope), project_name, model_version)
        return _Imported(scope, construct_id, arn, (project_name, model_version))


class _Imported(LookoutVisionModelBase):
    def __init__(self, scope: Construct, construct_id: str, model_arn: str, names: tuple[str, str]) -> None:
        super().__init__(scope, construct_id, environment_from_arn=model_arn)
        self.model_arn, self.model_version, self._names = model_arn, names[1], names
