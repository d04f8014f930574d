"""What every hosted model offers, whether this app hosts it or not: its ARN, grants and metrics."""

from __future__ import annotations

from typing import ClassVar, Protocol, Unpack

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from . import metric_options
from .alarms import Alarmed, AlarmOptions
from .checks import Checks
from .metric_options import MetricOptions


# A Protocol, not a jsii interface: a jsii interface is there to be implemented or called from other
# languages. This library is Python's alone, and a Protocol is what its type checkers understand.
class IHostedModel(Protocol):
    """A hosted model: made by this app, or hosted elsewhere and named by ``from_model_arn``."""

    model_arn: str
    model_version: str

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Allow actions on the model."""

    def grant_describe(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading the model's status."""

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return one of the model's metrics."""

    def add_idle_alarm(
        self, construct_id: str = "IdleAlarm", **options: Unpack[AlarmOptions]
    ) -> cloudwatch.Alarm:
        """Alarm when units are billed and nobody uses them."""

    def add_hosting_failure_alarm(
        self, construct_id: str = "HostingFailureAlarm", **options: Unpack[AlarmOptions]
    ) -> cloudwatch.Alarm:
        """Alarm when the model could not be hosted or stopped."""

    def dashboard_widgets(self) -> list[cloudwatch.IWidget]:
        """Return graphs that are ready to place."""


class HostedModelBase(Alarmed):
    """Grants and metrics; a service's own class names its namespace, dimensions and actions."""

    METRIC_NAMESPACE: ClassVar[str]
    METRIC_DIMENSIONS: ClassVar[tuple[str, ...]]

    model_arn: str
    model_version: str

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Allow actions on the model.

        The policy names ``model_arn``: where this app hosts the model, it is written once the model runs.
        """
        return self._grant(grantee, actions, self.model_arn)

    def _grant(self, grantee: iam.IGrantable, actions: tuple[str, ...], arn: str) -> iam.Grant:
        checks = Checks.of(self)
        checks.has("grantee", grantee, "grant_principal", "IGrantable: a role, a user, a function")
        if not actions:
            checks.fail("actions must be at least one IAM action, but it is none")
        for number, action in enumerate(actions):
            checks.text(f"actions[{number}]", action)
        return iam.Grant.add_to_principal(grantee=grantee, actions=list(actions), resource_arns=[arn])

    def metric(self, metric_name: str, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return a metric of the model.

        Parameters
        ----------
        metric_name
            As the service names it.
        options
            Those of ``aws_cloudwatch.Metric``. Default: the average of five minutes.
        """
        checks = Checks.of(self)
        checks.text("metric_name", metric_name)
        metric_options.check(checks, options)
        own: MetricOptions = {
            "dimensions_map": self._dimensions(),
        }
        chosen: MetricOptions = {**own, **options}
        metric = cloudwatch.Metric(namespace=self.METRIC_NAMESPACE, metric_name=metric_name, **chosen)
        return metric.attach_to(self)

    def _sum(self, metric_name: str, options: MetricOptions) -> cloudwatch.Metric:
        chosen: MetricOptions = {"statistic": "Sum", **options}
        return self.metric(metric_name, **chosen)

    def _dimensions(self) -> dict[str, str]:
        return dict(zip(self.METRIC_DIMENSIONS, self._names, strict=True))


class HasInferenceUnits(HostedModelBase):
    """Metrics of a model whose service publishes its inference units."""

    def _units(self, period: Duration) -> list[cloudwatch.Metric]:
        kinds = ("InServiceInferenceUnits", "DesiredInferenceUnits", "MinInferenceUnits", "MaxInferenceUnits")
        return [self.metric(kind, period=period, label=kind) for kind in kinds]

    def metric_min_inference_units(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the units that are billed at least."""
        return self.metric("MinInferenceUnits", **options)

    def metric_max_inference_units(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the units up to which the service scales."""
        return self.metric("MaxInferenceUnits", **options)

    def metric_desired_inference_units(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the units to which the service is scaling."""
        return self.metric("DesiredInferenceUnits", **options)

    def metric_in_service_inference_units(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return the units in use; this is what is billed."""
        return self.metric("InServiceInferenceUnits", **options)
