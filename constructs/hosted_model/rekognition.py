"""RekognitionCustomLabelsModel: an Amazon Rekognition Custom Labels model, hosted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from aws_cdk import Annotations, Arn, ArnFormat, Duration, Fn, RemovalPolicy, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from hosted_model_runtime.contract import Rekognition as Names

from .checks import Checks, is_token
from .grants import rekognition
from .hours import HostingHours
from .interface import HasInferenceUnits
from .metric_options import MetricOptions
from .model import Declaration, HostedModel, OnRunning
from .observe import Calls

#: Silence it with ``Annotations.of(model).acknowledge_warning(NO_UNITS)``.
NO_UNITS = "cdk-hosted-model:no-unit-metrics"
#: Of an ARN between slashes: `…:project/NAME/TIMESTAMP`, `…:project/NAME/version/VERSION/TIMESTAMP`.
_PARTS_OF_PROJECT, _PARTS_OF_VERSION = 3, 5


class RekognitionCustomLabelsModelBase(HasInferenceUnits):
    """Grants and metrics of a Rekognition Custom Labels model, whoever hosts it.

    The service publishes four metrics of a model, those of its inference units ("CloudWatch metrics for
    Rekognition", Amazon Rekognition Developer Guide); calls are counted by operation, not by model.
    """

    METRIC_SERVICE = Names.SERVICE
    METRIC_NAMESPACE = "AWS/Rekognition"
    METRIC_DIMENSIONS = ("ProjectName", "VersionName")

    #: The version's ARN where it is known at synth.
    _version_arn: str | None = None
    #: What DescribeProjectVersions takes; a pattern where only the version's ARN is known.
    _project_arn: str

    def metric_detect_custom_labels(
        self, metric_name: str, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Return a metric of DetectCustomLabels, of all models of the account and region.

        Parameters
        ----------
        metric_name
            SuccessfulRequestCount, ThrottledCount, UserErrorCount or ServerErrorCount, sums by default, or
            ResponseTime, whose average in milliseconds.
        options
            Those of ``aws_cloudwatch.Metric``.
        """
        own: MetricOptions = {
            "dimensions_map": {"Operation": "DetectCustomLabels"},
            "statistic": "Average" if metric_name == "ResponseTime" else "Sum",
        }
        chosen: MetricOptions = {**own, **options}
        return self.metric(metric_name, **chosen)

    def _calls(self, period: Duration) -> Calls:
        return Calls(
            requests=self.metric_detect_custom_labels("SuccessfulRequestCount", period=period),
            errors=[
                self.metric_detect_custom_labels(name, period=period)
                for name in ("UserErrorCount", "ServerErrorCount")
            ],
            throttles=self.metric_detect_custom_labels("ThrottledCount", period=period),
            latency=self.metric_detect_custom_labels("ResponseTime", period=period),
            whose="all models",
        )

    def _warn_of_no_units(self) -> None:
        if self._version_arn is not None and not Names.publishes_units(self._version_arn):
            Annotations.of(self).add_warning_v2(
                NO_UNITS,
                "this model was trained before September 2022, and such a model publishes no "
                "InServiceInferenceUnits: the idle alarm never goes off. Train it anew, or watch the bill.",
            )

    def grant_detect_custom_labels(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow DetectCustomLabels with this model."""
        return self.grant(grantee, "rekognition:DetectCustomLabels")

    def grant_describe(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow DescribeProjectVersions of the model's project, which tells the status."""
        return self._grant(grantee, ("rekognition:DescribeProjectVersions",), self._project_arn)


class RekognitionCustomLabelsModel(HostedModel, RekognitionCustomLabelsModelBase):
    """A version of an Amazon Rekognition Custom Labels model, running for as long as the stack declares it.

    Follows "StartProjectVersion" of the Amazon Rekognition API Reference. Name the model by
    ``project_version_arn``, or by ``project_arn`` and ``version_name``.

    Parameters
    ----------
    scope, construct_id
        As for every construct.
    project_version_arn
        The model's ARN, as the console shows it. A change hosts the new model before the old one is stopped.
    project_arn, version_name
        The project's ARN, time stamp included, and the version's name: 1 to 255 characters of
        ``[a-zA-Z0-9_.\\-]``.
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
        When a property breaks its limit, or the ARN is of another account or region than the stack; the text
        begins with the construct's path.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        project_version_arn: str | None = None,
        project_arn: str | None = None,
        version_name: str | None = None,
        min_inference_units: int = 1,
        max_inference_units: int | None = None,
        on_running: OnRunning = OnRunning.FAIL,
        hosting_timeout: Duration | None = None,
        hosting_hours: HostingHours | Sequence[HostingHours] | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    ) -> None:
        members = {
            Names.PROJECT_VERSION_ARN: project_version_arn,
            Names.PROJECT_ARN: project_arn,
            Names.VERSION_NAME: version_name,
        }
        model = {name: value for name, value in members.items() if value is not None}
        checks = Checks(scope, construct_id)
        stack = Stack.of(scope)
        _check(checks, stack, model)
        names = _names(project_version_arn or "", project_arn or "", version_name)
        super().__init__(
            scope,
            construct_id,
            declaration=Declaration(
                grants=rekognition.grants(stack),
                model=model,
                names=names,
                # The version's time stamp is not known from its name.
                units_by_default=Names.INFERENCE_UNITS_BY_DEFAULT,
                claim_arn=project_version_arn or rekognition.arn(stack, names[0], "version", names[1], "*"),
            ),
            min_inference_units=min_inference_units,
            max_inference_units=max_inference_units,
            on_running=on_running,
            hosting_timeout=hosting_timeout,
            hosting_hours=hosting_hours,
            removal_policy=removal_policy,
        )
        self._project_arn = project_arn or rekognition.arn(stack, names[0], "*")
        self._version_arn = None if is_token(project_version_arn) else project_version_arn

    @staticmethod
    def from_model_arn(
        scope: Construct, construct_id: str, model_arn: str
    ) -> RekognitionCustomLabelsModelBase:
        """Return a model that something else hosts, for its grants and metrics; nothing is deployed."""
        Checks(scope, construct_id).text("model_arn", model_arn)
        return _Imported(scope, construct_id, model_arn, None)

    @staticmethod
    def from_model_attributes(
        scope: Construct, construct_id: str, *, model_arn: str, project_arn: str
    ) -> RekognitionCustomLabelsModelBase:
        """Return a model that something else hosts; its project's ARN makes ``grant_describe`` exact."""
        checks = Checks(scope, construct_id)
        checks.text("model_arn", model_arn)
        checks.members(Names.LIMITS, {Names.PROJECT_VERSION_ARN: model_arn, Names.PROJECT_ARN: project_arn})
        return _Imported(scope, construct_id, model_arn, project_arn)


class _Imported(RekognitionCustomLabelsModelBase):
    def __init__(self, scope: Construct, construct_id: str, model_arn: str, project_arn: str | None) -> None:
        Checks(scope, construct_id).members(Names.LIMITS, {Names.PROJECT_VERSION_ARN: model_arn})
        super().__init__(scope, construct_id, environment_from_arn=model_arn)
        parts = Fn.split("/", model_arn)
        self.model_arn = model_arn
        self._version_arn = None if is_token(model_arn) else model_arn
        self._names = (Fn.select(1, parts), Fn.select(3, parts))
        self.model_version = self._names[1]
        before = Fn.select(0, parts)
        self._project_arn = project_arn or Fn.join("/", [before, self._names[0], "*"])


def _names(version_arn: str, project_arn: str, version_name: str | None) -> tuple[str, str]:
    """Return the names of project and version."""
    if version_name is not None:
        return _parts(project_arn, _PARTS_OF_PROJECT)[1], version_name
    _, project, _, version, _ = _parts(version_arn, _PARTS_OF_VERSION)
    return project, version


def _parts(arn: str, count: int) -> list[str]:
    """Split an ARN at its slashes; where it has fewer, a token has the others."""
    parts = arn.split("/")
    return parts if len(parts) == count else [Fn.select(i, Fn.split("/", arn)) for i in range(count)]


def _check(checks: Checks, stack: Stack, model: dict[str, str]) -> None:
    if set(model) not in Names.SHAPES:
        given = ", ".join(sorted(Names.LIMITS[name].name for name in model)) or "neither"
        checks.fail(
            f"name the model by project_version_arn, or by project_arn and version_name, but given is {given}"
        )
    checks.members(Names.LIMITS, model)
    for name in (Names.PROJECT_VERSION_ARN, Names.PROJECT_ARN):
        arn = model.get(name)
        if arn is None or is_token(arn):
            continue
        parts = Arn.split(arn, ArnFormat.SLASH_RESOURCE_NAME)
        for what, its, ours in (
            ("region", parts.region, stack.region),
            ("account", parts.account, stack.account),
        ):
            if not Token.is_unresolved(ours) and its != ours:
                checks.fail(
                    f"{Names.LIMITS[name].name} must be of the stack's {what} {ours}, but it is {arn!r}"
                )
