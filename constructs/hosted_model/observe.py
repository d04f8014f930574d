"""The provider's own metrics of a hosted model, and widgets, whichever service hosts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Unpack

from aws_cdk import Duration, Resource
from aws_cdk import aws_cloudwatch as cloudwatch

from hosted_model_runtime.contract import Metric as Names

from . import metric_options
from .checks import Checks
from .metric_options import MetricOptions


@dataclass(frozen=True, slots=True)
class Calls:
    """What a service publishes about calls that use a model, and whose calls they are."""

    requests: cloudwatch.Metric
    errors: Sequence[cloudwatch.Metric]
    throttles: cloudwatch.Metric | None
    latency: cloudwatch.Metric
    whose: str


class MeasuredModel(Resource):
    """The provider's metrics of the model, and widgets for a dashboard."""

    #: The service's name in the dimension ``Service``.
    METRIC_SERVICE: ClassVar[str]

    #: The values of the dimensions: project and version.
    _names: tuple[str, str]

    def _calls(self, period: Duration) -> Calls:
        raise NotImplementedError

    def _units(self, period: Duration) -> Sequence[cloudwatch.Metric]:
        """Return the metrics of a model's units, those in service first; perhaps there are none."""
        raise NotImplementedError

    def _warn_of_no_units(self) -> None:
        """Say so at synth if the model is known to publish no units in service."""

    def metric_time_to_hosted(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how long starts took, from CloudFormation's request to a model that answers; seconds."""
        return self._own(Names.TIME_TO_HOSTED, "Average", options)

    def metric_hosting_seconds(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return for how long the model was hosted; counted when it is stopped, in seconds."""
        return self._own(Names.HOSTING_SECONDS, "Sum", options)

    def metric_hosting_failures(
        self, *, reason: str | None = None, **options: Unpack[MetricOptions]
    ) -> cloudwatch.Metric:
        """Return how many requests failed to host the model, or to stop it.

        Parameters
        ----------
        reason
            Count these only: QUOTA, DENIED, INVALID, HOSTING_FAILED, TIMEOUT, FOREIGN or OTHER.
            Default: all.
        """
        if reason is None:
            return self._own(Names.HOSTING_FAILURES, "Sum", options)
        if reason not in Names.REASONS:
            known = ", ".join(Names.REASONS)
            raise ValueError(f"{self.node.path}: reason must be one of {known}, but it is {reason!r}")
        return self._own(Names.HOSTING_FAILURES, "Sum", options, {Names.REASON: reason})

    def metric_superseded_requests(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many requests ended because a later one, a rollback say, had taken over."""
        return self._own(Names.SUPERSEDED_REQUESTS, "Sum", options)

    def _own(
        self, name: str, statistic: str, options: MetricOptions, more: Mapping[str, str] | None = None
    ) -> cloudwatch.Metric:
        metric_options.check(Checks.of(self), options)
        values = (self.METRIC_SERVICE, *self._names)
        own: MetricOptions = {
            "dimensions_map": {**dict(zip(Names.DIMENSIONS, values, strict=True)), **(more or {})},
            "statistic": statistic,
        }
        chosen: MetricOptions = {**own, **options}
        metric = cloudwatch.Metric(namespace=Names.NAMESPACE, metric_name=name, **chosen)
        return metric.attach_to(self)

    def dashboard_widgets(self) -> list[cloudwatch.IWidget]:
        """Return up to six graphs, 8 wide and 6 high, for ``Dashboard.add_widgets``: two rows of three.

        Units; requests and errors; throttles; latency; hosting hours and time to hosted; failures. What a
        service does not publish has no graph.
        """
        step, day = Duration.minutes(5), Duration.days(1)
        calls = self._calls(step)
        hours = cloudwatch.MathExpression(
            expression="seconds / 3600",
            label="Hosting hours, a day",
            period=day,
            using_metrics={"seconds": self.metric_hosting_seconds(period=day)},
        )
        failures = [
            self.metric_hosting_failures(reason=reason, period=step, label=reason) for reason in Names.REASONS
        ]
        units, throttles = self._units(step), calls.throttles
        return [
            *([_graph("Inference units", units)] if units else []),
            _graph(f"Requests and errors ({calls.whose})", [calls.requests, *calls.errors]),
            *([_graph(f"Throttled requests ({calls.whose})", [throttles])] if throttles else []),
            _graph(f"Latency, ms ({calls.whose})", [calls.latency]),
            _graph("Hosting hours; seconds to hosted", [hours], [self.metric_time_to_hosted(period=step)]),
            _graph("Hosting failures, superseded", [*failures, self.metric_superseded_requests(period=step)]),
        ]


def _graph(
    title: str, left: Sequence[cloudwatch.IMetric], right: Sequence[cloudwatch.IMetric] = ()
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(left), right=list(right), width=8, height=6)
