"""Grants, metrics and models that something else hosts."""

from __future__ import annotations

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match, Template

from hosted_model import IHostedModel, LookoutVisionModel, RekognitionCustomLabelsModel
from unit.constructs.conftest import ACCOUNT, PROJECT_ARN, REGION, VERSION_ARN, models, text

VISION_ARN = f"arn:aws:lookoutvision:{REGION}:{ACCOUNT}:model/boards/3"


@pytest.fixture
def user(stack: Stack) -> iam.User:
    return iam.User(stack, "User")


def granted(stack: Stack, user: iam.User) -> list[tuple[object, str]]:
    policies = Template.from_stack(stack).find_resources(
        "AWS::IAM::Policy", {"Properties": {"Users": [stack.resolve(user.user_name)]}}
    )
    return [
        (statement["Action"], text(statement["Resource"]))
        for policy in policies.values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def test_grants_of_lookout_for_vision(stack, user):
    model = LookoutVisionModel(stack, "Model", project_name="boards", model_version="3")
    model.grant_detect_anomalies(user).assert_success()
    model.grant_describe(user)
    model.grant(user, "lookoutvision:ListTagsForResource", "lookoutvision:TagResource")
    arn = f"<{next(iter(models(stack)))}.ModelArn>"
    assert granted(stack, user) == [
        ("lookoutvision:DetectAnomalies", arn),
        ("lookoutvision:DescribeModel", arn),
        (["lookoutvision:ListTagsForResource", "lookoutvision:TagResource"], arn),
    ]


def test_grants_of_rekognition(stack, user):
    by_arn = RekognitionCustomLabelsModel(stack, "A", project_version_arn=VERSION_ARN)
    by_name = RekognitionCustomLabelsModel(stack, "B", project_arn=PROJECT_ARN, version_name="v2")
    by_arn.grant_detect_custom_labels(user)
    by_arn.grant_describe(user)
    by_name.grant_describe(user)
    logical_id = next(iter(models(stack)))
    assert granted(stack, user) == [
        ("rekognition:DetectCustomLabels", f"<{logical_id}.ModelArn>"),
        # The project's time stamp is not in the version's ARN.
        (
            "rekognition:DescribeProjectVersions",
            "arn:<AWS::Partition>:rekognition:<AWS::Region>:<AWS::AccountId>:project/boards/*",
        ),
        ("rekognition:DescribeProjectVersions", PROJECT_ARN),
    ]


@pytest.mark.parametrize(
    ("method", "name", "statistic"),
    [
        ("metric_detected_anomaly_count", "DetectedAnomalyCount", "Sum"),
        ("metric_processed_image_count", "ProcessedImageCount", "Sum"),
        ("metric_invalid_image_count", "InvalidImageCount", "Sum"),
        ("metric_successful_request_count", "SuccessfulRequestCount", "Sum"),
        ("metric_error_count", "ErrorCount", "Sum"),
        ("metric_throttled_count", "ThrottledCount", "Sum"),
        ("metric_time", "Time", "Average"),
        ("metric_min_inference_units", "MinInferenceUnits", "Average"),
        ("metric_max_inference_units", "MaxInferenceUnits", "Average"),
        ("metric_desired_inference_units", "DesiredInferenceUnits", "Average"),
        ("metric_in_service_inference_units", "InServiceInferenceUnits", "Average"),
    ],
)
def test_metrics_of_lookout_for_vision(stack, method, name, statistic):
    model = LookoutVisionModel.from_model_arn(stack, "Model", VISION_ARN)
    metric = getattr(model, method)()
    assert (metric.namespace, metric.metric_name, metric.statistic) == ("AWS/LookoutVision", name, statistic)
    assert metric.dimensions == {"ProjectName": "boards", "ModelVersion": "3"}
    changed = getattr(model, method)(statistic="Maximum", period=Duration.minutes(1))
    assert (changed.statistic, changed.period.to_seconds()) == ("Maximum", 60)


@pytest.mark.parametrize("which", ["min", "max", "desired", "in_service"])
def test_metrics_of_rekognition(stack, which):
    model = RekognitionCustomLabelsModel(stack, "Model", project_version_arn=VERSION_ARN)
    metric = getattr(model, f"metric_{which}_inference_units")()
    assert metric.namespace == "AWS/Rekognition"
    assert metric.metric_name == "".join(map(str.capitalize, which.split("_"))) + "InferenceUnits"
    assert metric.dimensions == {"ProjectName": "boards", "VersionName": "v1"}


def test_an_alarm(stack):
    model = LookoutVisionModel(stack, "Model", project_name="boards", model_version="latest")
    model.metric("Anything", statistic="p99").create_alarm(stack, "Alarm", threshold=1, evaluation_periods=1)
    # Metrics know numbers: the number of `latest` is known after the deploy.
    Template.from_stack(stack).has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Dimensions": Match.array_with(
                [
                    {
                        "Name": "ModelVersion",
                        "Value": {"Fn::GetAtt": [next(iter(models(stack))), "ModelVersion"]},
                    }
                ]
            )
        },
    )


def test_an_alarm_on_a_number_does_not_wait_for_the_model(stack):
    model = LookoutVisionModel(stack, "Model", project_name="boards", model_version="3")
    assert model.metric_error_count().dimensions == {"ProjectName": "boards", "ModelVersion": "3"}


def describe(model: IHostedModel, grantee: iam.IGrantable) -> cloudwatch.Metric:
    """Take any hosted model, as a user's function would."""
    model.grant_describe(grantee)
    return model.metric("InServiceInferenceUnits")


def test_models_that_something_else_hosts(stack, user):
    vision = LookoutVisionModel.from_model_attributes(stack, "A", project_name="boards", model_version="3")
    labels = RekognitionCustomLabelsModel.from_model_arn(stack, "B", VERSION_ARN)
    exact = RekognitionCustomLabelsModel.from_model_attributes(
        stack, "C", model_arn=VERSION_ARN, project_arn=PROJECT_ARN
    )
    for model in (vision, labels, exact):
        describe(model, user)
    vision.grant_detect_anomalies(user)
    labels.grant_detect_custom_labels(user)
    own = "arn:<AWS::Partition>:lookoutvision:<AWS::Region>:<AWS::AccountId>:model/boards/3"
    assert granted(stack, user) == [
        ("lookoutvision:DescribeModel", own),
        ("rekognition:DescribeProjectVersions", f"arn:aws:rekognition:{REGION}:{ACCOUNT}:project/boards/*"),
        ("rekognition:DescribeProjectVersions", PROJECT_ARN),
        ("lookoutvision:DetectAnomalies", own),
        ("rekognition:DetectCustomLabels", VERSION_ARN),
    ]
    assert (labels.model_arn, labels.model_version, labels.env.region) == (VERSION_ARN, "v1", REGION)
    # Nothing is deployed for them.
    assert not models(stack)
    Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 0)


def test_an_arn_from_a_parameter(stack):
    parameter = CfnParameter(stack, "Arn")
    vision = LookoutVisionModel.from_model_arn(stack, "A", parameter.value_as_string)
    labels = RekognitionCustomLabelsModel.from_model_arn(stack, "B", parameter.value_as_string)
    parts = {"Fn::Split": ["/", {"Ref": "Arn"}]}
    assert stack.resolve(vision.model_version) == {"Fn::Select": [2, parts]}
    assert stack.resolve(labels.model_version) == {"Fn::Select": [3, parts]}


def test_wrong_arns_and_names(stack):
    with pytest.raises(ValueError, match="S/A: model_version must be a number here"):
        LookoutVisionModel.from_model_attributes(stack, "A", project_name="b", model_version="latest")
    with pytest.raises(ValueError, match="S/B: project_name must match"):
        LookoutVisionModel.from_model_attributes(stack, "B", project_name="_", model_version="1")
    with pytest.raises(ValueError, match="S/C: project_version_arn must match"):
        RekognitionCustomLabelsModel.from_model_arn(stack, "C", PROJECT_ARN)
    with pytest.raises(ValueError, match="S/D: model_arn must be the ARN of a Lookout for Vision model"):
        LookoutVisionModel.from_model_arn(stack, "D", PROJECT_ARN)
