"""PersonalizeRecommender: an Amazon Personalize recommender, hosted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from aws_cdk import Arn, ArnFormat, Duration, Fn, RemovalPolicy, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from hosted_model_runtime.contract import Personalize as Names

from .alarms import IdleOptions, over
from .checks import Checks
from .grants import personalize
from .hours import HostingHours
from .interface import HostedModelBase
from .metric_options import MetricOptions
from .model import Declaration, HostedModel, OnRunning
from .observe import Calls


class PersonalizeRecommenderBase(HostedModelBase):
    """Grants and metrics of a recommender, whoever hosts it.

    Follows "CloudWatch metrics for Amazon Personalize", Amazon Personalize Developer Guide. The service
    publishes calls, and nothing of a recommender's units.
    """

    METRIC_SERVICE = Names.SERVICE
    METRIC_NAMESPACE = "AWS/Personalize"
    METRIC_DIMENSIONS = ("RecommenderArn",)

    def _dimensions(self) -> dict[str, str]:
        return {self.METRIC_DIMENSIONS[0]: self._recommender_arn}

    #: As it was declared: `model_arn` is known only once the recommender runs.
    _recommender_arn: str

    def metric_get_recommendations(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many calls of GetRecommendations succeeded; without calls there are no points."""
        return self._sum("GetRecommendations", options)

    def metric_get_recommendations_4xx_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many calls of GetRecommendations the caller was to blame for."""
        return self._sum("GetRecommendations4xxErrors", options)

    def metric_get_recommendations_5xx_errors(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how many calls of GetRecommendations the service was to blame for."""
        return self._sum("GetRecommendations5xxErrors", options)

    def metric_get_recommendations_latency(self, **options: Unpack[MetricOptions]) -> cloudwatch.Metric:
        """Return how long GetRecommendations took, in milliseconds."""
        return self.metric("GetRecommendationsLatency", **options)

    def grant_get_recommendations(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow GetRecommendations of this recommender."""
        return self.grant(grantee, "personalize:GetRecommendations")

    def grant_describe(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow DescribeRecommender, which tells the status."""
        return self.grant(grantee, "personalize:DescribeRecommender")

    def _units(self, period: Duration) -> Sequence[cloudwatch.Metric]:
        return ()

    def _calls(self, period: Duration) -> Calls:
        return Calls(
            requests=self.metric_get_recommendations(period=period),
            errors=[
                self.metric_get_recommendations_4xx_errors(period=period),
                self.metric_get_recommendations_5xx_errors(period=period),
            ],
            throttles=None,
            latency=self.metric_get_recommendations_latency(period=period),
            whose="this recommender",
        )

    def _idle(self, step: Duration, requests: cloudwatch.IMetric) -> IdleOptions:
        # Without calls there are no points. So a recommender that is stopped counts as idle, too.
        return {
            "metric": over(step, requests),
            "threshold": 0,
            "comparison_operator": cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
            "treat_missing_data": cloudwatch.TreatMissingData.BREACHING,
        }


class PersonalizeRecommender(HostedModel, PersonalizeRecommenderBase):
    """A trained Amazon Personalize recommender, active for as long as the stack declares it.

    Follows "StartRecommender" and "UpdateRecommender" of the Amazon Personalize API Reference. Creating a
    recommender trains it, and deleting it loses what was trained: both are done elsewhere.

    Parameters
    ----------
    scope, construct_id
        As for every construct.
    recommender_arn
        ``arn:P:personalize:REGION:ACCOUNT:recommender/NAME``. A change hosts the new recommender before the
        old one is stopped.
    min_recommendation_requests_per_second
        At least 1; billed for each hour. A change is made while the recommender serves, and leaves the rest
        of its configuration as it is. Default: 1.
    on_running
        What to do when the recommender is active already and no stack owns it. Default: fail. One that was
        just trained is active: to take it over, say ``OnRunning.ADOPT``.
    hosting_timeout
        1 to 60 minutes for a start, a stop or an update. Default: 60 minutes, the longest that CloudFormation
        waits. Less than 10 leaves no time for a second try, and is warned of.
    hosting_hours
        When the recommender is active; outside these hours it sleeps. A deploy leaves it as it is, asleep or
        awake, but the first one hosts it whatever the hour. Default: always.
    removal_policy
        DESTROY stops the recommender when it is no longer declared; RETAIN leaves it active, and billed.
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
        recommender_arn: str,
        min_recommendation_requests_per_second: int = 1,
        on_running: OnRunning = OnRunning.FAIL,
        hosting_timeout: Duration | None = None,
        hosting_hours: HostingHours | Sequence[HostingHours] | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    ) -> None:
        checks, stack = Checks(scope, construct_id), Stack.of(scope)
        _check(checks, stack, recommender_arn)
        checks.units(
            min_recommendation_requests_per_second, None, name="min_recommendation_requests_per_second"
        )
        super().__init__(
            scope,
            construct_id,
            declaration=Declaration(
                grants=personalize.grants(stack),
                model={Names.RECOMMENDER_ARN: recommender_arn},
                names=(Names.PROJECT, _name(recommender_arn)),
                claim_arn=recommender_arn,
            ),
            min_inference_units=min_recommendation_requests_per_second,
            max_inference_units=None,
            on_running=on_running,
            hosting_timeout=hosting_timeout,
            hosting_hours=hosting_hours,
            removal_policy=removal_policy,
        )
        self._recommender_arn = recommender_arn

    @staticmethod
    def from_recommender_arn(
        scope: Construct, construct_id: str, recommender_arn: str
    ) -> PersonalizeRecommenderBase:
        """Return a recommender that something else hosts, for its grants and metrics; nothing is deployed."""
        return _Imported(scope, construct_id, recommender_arn)


class _Imported(PersonalizeRecommenderBase):
    def __init__(self, scope: Construct, construct_id: str, recommender_arn: str) -> None:
        Checks(scope, construct_id).members(Names.LIMITS, {Names.RECOMMENDER_ARN: recommender_arn})
        super().__init__(scope, construct_id, environment_from_arn=recommender_arn)
        self.model_arn = self._recommender_arn = recommender_arn
        self._names = (Names.PROJECT, _name(recommender_arn))
        self.model_version = self._names[1]


def _name(recommender_arn: str) -> str:
    if Token.is_unresolved(recommender_arn):
        return Fn.select(1, Fn.split("/", recommender_arn))
    return recommender_arn.rsplit("/", 1)[-1]


def _check(checks: Checks, stack: Stack, recommender_arn: str) -> None:
    checks.members(Names.LIMITS, {Names.RECOMMENDER_ARN: recommender_arn})
    if Token.is_unresolved(recommender_arn):
        return
    parts = Arn.split(recommender_arn, ArnFormat.SLASH_RESOURCE_NAME)
    for what, its, ours in (
        ("region", parts.region, stack.region),
        ("account", parts.account, stack.account),
    ):
        if not Token.is_unresolved(ours) and its != ours:
            checks.fail(
                f"recommender_arn must be of the stack's {what} {ours}, but it is {recommender_arn!r}"
            )
