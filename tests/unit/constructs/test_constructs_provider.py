"""The provider's properties as CDK users know them from aws_lambda.Function, and its alarm."""

from __future__ import annotations

import json

import pytest
from aws_cdk import CfnParameter, Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs

from hosted_model import CONCURRENCY, HostedModelProvider, HostingHours, RekognitionCustomLabelsModel
from unit.constructs.conftest import PROJECT_ARN, messages, only, resources, text


def label(stack, version, **more):
    return RekognitionCustomLabelsModel(stack, version, project_arn=PROJECT_ARN, version_name=version, **more)


def function(stack):
    return only(resources(stack, "AWS::Lambda::Function"))["Properties"]


def test_what_a_function_takes(stack):
    key, queue = kms.Key(stack, "Key"), sqs.Queue(stack, "Queue")
    provider = HostedModelProvider(
        stack,
        "Provider",
        dead_letter_queue=queue,
        reserved_concurrent_executions=4,
        tracing=lambda_.Tracing.ACTIVE,
        environment_encryption=key,
        runtime=lambda_.Runtime.PYTHON_3_12,
    )
    found = function(stack)
    assert found["DeadLetterConfig"] == {"TargetArn": stack.resolve(queue.queue_arn)}
    assert (found["ReservedConcurrentExecutions"], found["Runtime"]) == (4, "python3.12")
    assert (found["TracingConfig"], found["KmsKeyArn"]) == ({"Mode": "Active"}, stack.resolve(key.key_arn))
    assert provider.dead_letter_queue is queue
    granted = json.dumps(resources(stack, "AWS::IAM::ManagedPolicy"))
    for action in ("sqs:SendMessage", "xray:PutTraceSegments", "kms:Decrypt"):
        assert action in granted
    assert resources(stack, "AWS::IAM::Policy") == {}


def test_none_of_it_by_default(stack):
    HostedModelProvider(stack, "Provider")
    found = function(stack)
    assert not {"DeadLetterConfig", "ReservedConcurrentExecutions", "TracingConfig", "KmsKeyArn"} & set(found)
    assert found["Runtime"] == getattr(lambda_.Runtime, "PYTHON_3_14", lambda_.Runtime.PYTHON_3_13).name


def test_what_a_schedule_cannot_deliver_goes_to_the_queue_too(stack):
    queue = sqs.Queue(stack, "Queue")
    HostedModelProvider(stack, "Provider", dead_letter_queue=queue)
    cron = scheduler.ScheduleExpression.cron
    label(
        stack, "v1",
        hosting_hours=HostingHours(start=cron(minute="0", hour="8"), stop=cron(minute="0", hour="18")),
    )  # fmt: skip
    arn = stack.resolve(queue.queue_arn)
    for each in resources(stack, "AWS::Scheduler::Schedule").values():
        assert each["Properties"]["Target"]["DeadLetterConfig"] == {"Arn": arn}
    (role,) = (each for name, each in resources(stack, "AWS::IAM::Role").items() if "ScheduleRole" in name)
    (policy,) = role["Properties"]["Policies"]
    send = policy["PolicyDocument"]["Statement"][1]
    assert (send["Action"], send["Resource"]) == ("sqs:SendMessage", arn)


def test_what_goes_to_an_encrypted_queue_may_be_encrypted(stack):
    """SQS takes the message only of a sender who may use the queue's key."""
    queue = sqs.Queue(stack, "Queue", encryption=sqs.QueueEncryption.KMS)
    assert HostedModelProvider(stack, "Provider", dead_letter_queue=queue).schedule_role
    wanted = {
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Effect": "Allow",
        "Resource": stack.resolve(queue.encryption_master_key.key_arn),
    }
    policies = [each["Properties"] for each in resources(stack, "AWS::IAM::ManagedPolicy").values()]
    assert wanted in [one for each in policies for one in each["PolicyDocument"]["Statement"]]
    (role,) = (each for name, each in resources(stack, "AWS::IAM::Role").items() if "ScheduleRole" in name)
    assert wanted in role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]


def test_a_fifo_queue_takes_no_dropped_events(stack):
    queue = sqs.Queue(stack, "Queue", fifo=True)
    with pytest.raises(ValueError, match=r"^S/Provider: dead_letter_queue must be a standard queue, .* FIFO"):
        HostedModelProvider(stack, "Provider", dead_letter_queue=queue)


def test_the_alarm_on_dropped_requests(stack):
    provider = HostedModelProvider(stack, "Mine")
    provider.add_dropped_request_alarm(period=Duration.minutes(10), alarm_name="Dropped")
    ((name, alarm),) = resources(stack, "AWS::CloudWatch::Alarm").items()
    found = alarm["Properties"]
    assert (found["Namespace"], found["MetricName"]) == ("AWS/Lambda", "AsyncEventsDropped")
    assert (found["Statistic"], found["Period"], found["EvaluationPeriods"]) == ("Sum", 600, 1)
    assert (found["Threshold"], found["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert (found["TreatMissingData"], found["AlarmName"]) == ("notBreaching", "Dropped")
    assert [each["Name"] for each in found["Dimensions"]] == ["FunctionName"]
    # As the provider's other parts: the same wherever it stands.
    assert name.startswith("HostedModelProviderDroppedRequestAlarm")


@pytest.mark.parametrize(
    ("executions", "models", "warned"),
    [(1, 1, True), (2, 1, False), (3, 2, True), (4, 2, False), (4, 3, True), (None, 3, False)],
)
def test_more_models_than_the_reserved_executions_carry(stack, executions, models, warned):
    HostedModelProvider(stack, "Provider", reserved_concurrent_executions=executions)
    for number in range(models):
        label(stack, f"v{number}")
    said = messages(stack)
    assert [f"[ack: {CONCURRENCY}]" in each for each in said] == ([True] if warned else [])
    if warned:
        assert (
            f"reserved_concurrent_executions is {executions}, which carries {executions // 2} models"
            in (said[0])
        )


def test_reserved_executions_that_are_known_at_deploy_only(stack):
    number = CfnParameter(stack, "Executions", type="Number").value_as_number
    HostedModelProvider(stack, "Provider", reserved_concurrent_executions=number)
    label(stack, "v1")
    assert function(stack)["ReservedConcurrentExecutions"] == {"Ref": "Executions"}
    assert messages(stack) == []


def test_the_function_knows_its_stack(stack):
    HostedModelProvider(stack, "Provider")
    assert text(function(stack)["Environment"]["Variables"]["HOSTED_MODEL_STACK_ID"]) == "<AWS::StackId>"
