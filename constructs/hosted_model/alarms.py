"""Alarms of a hosted model: billed and not used, and not hosted at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from .checks import Checks
from .observe import MeasuredModel

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60
#: So late metrics of the services may be: 10 minutes.
_LATE = 600
#: "PutMetricAlarm", Amazon CloudWatch API Reference: a day where the period is below an hour, else seven.
_RANGES = {False: (_DAY, "1 day, for periods below 1 hour"), True: (7 * _DAY, "7 days")}

# Units in service, and no request: units, else 0. The factor makes one request outweigh any units. Metric
# math takes what is missing for 0 in arithmetic: no count of requests is none, as is right. No units are 0
# too, which is right for a model that is stopped, and wrong for the newest minutes of one that runs, as long
# as they are not published. So not all points of the alarm's range must be above 0 ("M out of N", "Using
# Amazon CloudWatch alarms", Amazon CloudWatch User Guide): at N of N the alarm might never go off.
IDLE = "units * (units > FILL(requests, 0) * 1000000)"


class AlarmOptions(TypedDict, total=False):
    """Keyword arguments of the ``add_…_alarm`` methods; those of ``aws_cloudwatch.Alarm``."""

    actions_enabled: bool
    alarm_description: str
    alarm_name: str


class IdleOptions(TypedDict):
    """What an idle alarm watches, as keyword arguments of ``aws_cloudwatch.Alarm``."""

    metric: cloudwatch.IMetric
    threshold: float
    comparison_operator: cloudwatch.ComparisonOperator
    treat_missing_data: cloudwatch.TreatMissingData


def over(step: Duration, metric: cloudwatch.IMetric) -> cloudwatch.IMetric:
    """Return a metric in periods of ``step``: an alarm on one metric alone goes by the metric's own."""
    if isinstance(metric, cloudwatch.Metric | cloudwatch.MathExpression):
        return metric.with_(period=step)
    return cloudwatch.MathExpression(expression="metric", using_metrics={"metric": metric}, period=step)


class Alarmed(MeasuredModel):
    """The alarms that a hosted model can be given."""

    def add_idle_alarm(
        self,
        construct_id: str = "IdleAlarm",
        *,
        idle_for: Duration | None = None,
        period: Duration | None = None,
        requests: cloudwatch.IMetric | None = None,
        **options: Unpack[AlarmOptions],
    ) -> cloudwatch.Alarm:
        """Alarm when units are in service, and billed, while no request has succeeded for some time.

        A model that is stopped is not idle: it publishes no units, and that is no alarm.

        Metrics can be late, and what is not there counts as no units. So the alarm looks at 10 minutes more
        than ``idle_for`` (one period more where periods are longer), and in as much of that the model may
        seem stopped, or be used. A model that publishes no InServiceInferenceUnits never seems idle: of
        Rekognition, one that was trained before September 2022. A warning says so at synth where the ARN
        tells the time of training.

        Parameters
        ----------
        construct_id
            Below the model. Default: ``IdleAlarm``.
        idle_for
            A whole number of periods, at most 1 day where these are below an hour, else at most 7 days.
            Default: 2 hours.
        period
            Whole minutes. Default: 5 minutes; an hour where ``idle_for`` is longer than a day.
        requests
            What counts as use, as a sum. Default: SuccessfulRequestCount of the service: of this model or,
            where the service counts calls by operation only, of all models of account and region.
        options
            Those of ``aws_cloudwatch.Alarm``.

        Raises
        ------
        ValueError
            When a time breaks its limit; the text begins with the alarm's path.
        """
        checks = Checks(self, construct_id)
        check(checks, options)
        if requests is not None:
            checks.has("requests", requests, "to_metric_config", "aws_cloudwatch.IMetric")
        idle = _seconds(checks, "idle_for", Duration.hours(2) if idle_for is None else idle_for)
        default = Duration.minutes(5 if idle <= _DAY else 60)
        every = _seconds(checks, "period", default if period is None else period)
        _check_range(checks, idle, every)
        idle_ones, looked_at = _of(idle, every)
        self._warn_of_no_units()
        step = Duration.seconds(every)
        counted = requests or self._calls(step).requests
        own: AlarmOptions = {
            "alarm_description": f"Inference units are billed, and nobody has used them for {idle // 60} "
            "minutes: give the model hosting hours, or no longer declare it"
        }
        chosen: AlarmOptions = {**own, **options}
        return cloudwatch.Alarm(
            self,
            construct_id,
            evaluation_periods=looked_at,
            datapoints_to_alarm=idle_ones,
            **self._idle(step, counted),
            **chosen,
        )

    def _idle(self, step: Duration, requests: cloudwatch.IMetric) -> IdleOptions:
        """Return what is idle: units in service, and no request."""
        units = {"units": self._units(step)[0], "requests": requests}
        return {
            "metric": cloudwatch.MathExpression(
                expression=IDLE,
                label="Units in service without a request",
                period=step,
                using_metrics=units,
            ),
            "threshold": 0,
            "comparison_operator": cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            "treat_missing_data": cloudwatch.TreatMissingData.NOT_BREACHING,
        }

    def add_hosting_failure_alarm(
        self,
        construct_id: str = "HostingFailureAlarm",
        *,
        reason: str | None = None,
        period: Duration | None = None,
        threshold: int = 1,
        **options: Unpack[AlarmOptions],
    ) -> cloudwatch.Alarm:
        """Alarm when a request, or a scheduled start or stop, failed.

        Parameters
        ----------
        construct_id
            Below the model. Default: ``HostingFailureAlarm``.
        reason
            As of :meth:`metric_hosting_failures`. Default: any.
        period
            Whole minutes, at most a day. Default: 5 minutes.
        threshold
            So many failures in a period. Default: 1.
        options
            Those of ``aws_cloudwatch.Alarm``.

        Raises
        ------
        ValueError
            When a value breaks its limit; the text begins with the alarm's path.
        """
        checks = Checks(self, construct_id)
        every = period_seconds(checks, period)
        check(checks, options)
        checks.whole("threshold", threshold, 1)
        own: AlarmOptions = {
            "alarm_description": "A model could not be hosted or stopped: the function's log has the reason"
        }
        chosen: AlarmOptions = {**own, **options}
        return cloudwatch.Alarm(
            self,
            construct_id,
            metric=self.metric_hosting_failures(reason=reason, period=Duration.seconds(every)),
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            **chosen,
        )


def check(checks: Checks, options: Mapping[str, object]) -> None:
    """Check what alarms have in common."""
    checks.known(options, AlarmOptions.__annotations__)
    for name, value in options.items():
        (checks.boolean if name == "actions_enabled" else checks.text)(name, value)


def period_seconds(checks: Checks, period: Duration | None) -> int:
    """Return the seconds of the period of an alarm that looks at one: 5 minutes, unless it is said."""
    every = _seconds(checks, "period", Duration.minutes(5) if period is None else period)
    _check_range(checks, every, every)
    return every


def _seconds(checks: Checks, name: str, value: Duration) -> int:
    milliseconds = checks.milliseconds(name, value)
    if milliseconds < 1000 * _MINUTE or milliseconds % (1000 * _MINUTE):
        checks.fail(f"{name} must be whole minutes, at least 1, but it is {milliseconds / 60_000:g}")
    return int(milliseconds / 1000)


def _of(idle: int, every: int) -> tuple[int, int]:
    """Return M and N, of "M out of N": how many of the looked at periods must be idle."""
    late = -(-_LATE // every)
    limit, _ = _RANGES[every >= _HOUR]
    looked_at = min(idle // every + late, limit // every)
    return max(1, min(idle // every, looked_at - late)), looked_at


def _check_range(checks: Checks, idle: int, every: int) -> None:
    if every > _DAY:
        checks.fail(f"period must be at most 1 day, but it is {every / _DAY:g} (PutMetricAlarm)")
    if idle % every:
        checks.fail(
            f"idle_for must be whole periods of {every // 60} minutes, but it is {idle // 60} minutes"
        )
    limit, words = _RANGES[every >= _HOUR]
    if idle > limit:
        checks.fail(f"idle_for must be at most {words}, but it is {idle / _DAY:g} days (PutMetricAlarm)")
