"""PersonalizeRecommender: its limits, grants, metrics and alarms."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from hosted_model import PersonalizeRecommender
from unit.constructs.conftest import RECOMMENDER_ARN, models, only, resources


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"recommender_arn": "top-picks"}, "recommender_arn must have 20 to 256 characters"),
        ({"recommender_arn": RECOMMENDER_ARN.replace("recommender/", "campaign/")}, "must match"),
        ({"recommender_arn": RECOMMENDER_ARN.replace("top", "_top")}, "must match"),
        (
            {"min_recommendation_requests_per_second": 0},
            "min_recommendation_requests_per_second must be at least 1, but it is 0",
        ),
        (
            {"min_recommendation_requests_per_second": "2"},
            "min_recommendation_requests_per_second must be a whole number, but it is '2'",
        ),
        ({"recommender_arn": RECOMMENDER_ARN.replace("eu-west-1", "us-east-1")}, "stack's region eu-west-1"),
        ({"recommender_arn": RECOMMENDER_ARN.replace("1111", "4444")}, "of the stack's account"),
        ({"hosting_timeout": Duration.seconds(59)}, "hosting_timeout must be whole seconds"),
    ],
)
def test_limits_at_synth(placed: Stack, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        PersonalizeRecommender(placed, "TopPicks", **{"recommender_arn": RECOMMENDER_ARN, **given})
    assert str(raised.value).startswith("Placed/TopPicks: ")


def test_the_resource(placed: Stack) -> None:
    PersonalizeRecommender(
        placed, "TopPicks", recommender_arn=RECOMMENDER_ARN, min_recommendation_requests_per_second=3
    )
    properties = only(models(placed))["Properties"]
    assert properties["Service"] == "personalize"
    assert properties["Model"] == {"RecommenderArn": RECOMMENDER_ARN}
    assert properties["MinInferenceUnits"] == 3
    assert "MaxInferenceUnits" not in properties


def test_a_recommender_has_one_owner(placed: Stack) -> None:
    PersonalizeRecommender(placed, "A", recommender_arn=RECOMMENDER_ARN)
    with pytest.raises(ValueError, match="recommender/top-picks is declared by Placed/A already"):
        PersonalizeRecommender(placed, "B", recommender_arn=RECOMMENDER_ARN)


def test_a_token_passes(app: App, placed: Stack) -> None:
    arn = CfnParameter(placed, "Arn").value_as_string
    made = PersonalizeRecommender(placed, "A", recommender_arn=arn)
    made.add_idle_alarm()
    (alarm,) = resources(placed, "AWS::CloudWatch::Alarm").values()
    assert alarm["Properties"]["Dimensions"] == [{"Name": "RecommenderArn", "Value": {"Ref": "Arn"}}]


@pytest.mark.parametrize("imported", [False, True])
def test_grants(placed: Stack, imported: bool) -> None:
    make = PersonalizeRecommender.from_recommender_arn if imported else PersonalizeRecommender
    made = make(placed, "A", recommender_arn=RECOMMENDER_ARN)
    user = iam.User(placed, "User")
    made.grant_get_recommendations(user)
    made.grant_describe(user)
    found = [each for each in resources(placed, "AWS::IAM::Policy").values() if "Users" in each["Properties"]]
    for action in ("GetRecommendations", "DescribeRecommender"):
        (statement,) = (
            one
            for each in found
            for one in each["Properties"]["PolicyDocument"]["Statement"]
            if one["Action"] == f"personalize:{action}"
        )
        assert (statement["Resource"] == RECOMMENDER_ARN) is imported


def test_from_an_arn_nothing_is_deployed(placed: Stack) -> None:
    made = PersonalizeRecommender.from_recommender_arn(placed, "A", RECOMMENDER_ARN)
    assert (made.model_arn, made.model_version) == (RECOMMENDER_ARN, "top-picks")
    assert Template.from_stack(placed).to_json().get("Resources", {}) == {}
    with pytest.raises(ValueError, match="recommender_arn must"):
        PersonalizeRecommender.from_recommender_arn(placed, "B", "top-picks")


@pytest.mark.parametrize(
    ("method", "name", "statistic"),
    [
        ("metric_get_recommendations", "GetRecommendations", "Sum"),
        ("metric_get_recommendations_4xx_errors", "GetRecommendations4xxErrors", "Sum"),
        ("metric_get_recommendations_5xx_errors", "GetRecommendations5xxErrors", "Sum"),
        ("metric_get_recommendations_latency", "GetRecommendationsLatency", "Average"),
    ],
)
def test_metrics_are_by_recommender(placed: Stack, method: str, name: str, statistic: str) -> None:
    made = PersonalizeRecommender(placed, "A", recommender_arn=RECOMMENDER_ARN)
    metric = getattr(made, method)()
    assert (metric.namespace, metric.metric_name, metric.statistic) == ("AWS/Personalize", name, statistic)
    assert metric.dimensions == {"RecommenderArn": RECOMMENDER_ARN}


def test_without_calls_it_is_idle(placed: Stack) -> None:
    made = PersonalizeRecommender(placed, "A", recommender_arn=RECOMMENDER_ARN)
    made.add_idle_alarm(idle_for=Duration.hours(1))
    (alarm,) = resources(placed, "AWS::CloudWatch::Alarm").values()
    found = alarm["Properties"]
    assert (found["MetricName"], found["Statistic"]) == ("GetRecommendations", "Sum")
    assert (found["TreatMissingData"], found["Threshold"]) == ("breaching", 0)
    assert found["ComparisonOperator"] == "LessThanOrEqualToThreshold"
    assert (found["DatapointsToAlarm"], found["Period"]) == (12, 300)


def test_an_own_count_of_requests_is_taken_over_the_alarms_periods(placed: Stack) -> None:
    own = cloudwatch.Metric(
        namespace="Mine", metric_name="Asked", statistic="Sum", period=Duration.minutes(1)
    )
    made = PersonalizeRecommender(placed, "A", recommender_arn=RECOMMENDER_ARN)
    made.add_idle_alarm(idle_for=Duration.hours(1), requests=own)
    rate = cloudwatch.MathExpression(expression="own / 2", using_metrics={"own": own})
    made.add_idle_alarm("Rate", idle_for=Duration.hours(1), requests=rate)
    one, two = (each["Properties"] for each in resources(placed, "AWS::CloudWatch::Alarm").values())
    assert (one["Namespace"], one["Period"], one["DatapointsToAlarm"]) == ("Mine", 300, 12)
    assert [each["MetricStat"]["Period"] for each in two["Metrics"] if "MetricStat" in each] == [300]


def test_the_dashboard_has_what_the_service_publishes(app: App) -> None:
    stack = Stack(app, "Board", env=Environment(account="111122223333", region="eu-west-1"))
    made = PersonalizeRecommender(stack, "A", recommender_arn=RECOMMENDER_ARN)
    widgets = made.dashboard_widgets()
    assert len(widgets) == 4
    cloudwatch.Dashboard(stack, "Dashboard").add_widgets(*widgets)
    assert len(resources(stack, "AWS::CloudWatch::Dashboard")) == 1


def test_its_own_metrics_are_by_the_name_that_the_function_writes(placed: Stack) -> None:
    made = PersonalizeRecommender(placed, "A", recommender_arn=RECOMMENDER_ARN)
    dimensions = made.metric_time_to_hosted().dimensions
    assert dimensions == {"Service": "personalize", "Project": "recommender", "Version": "top-picks"}
