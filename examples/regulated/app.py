"""A hosted model as a security team wants it: own key, queue, VPC, executions, tracing, alarms."""

from aws_cdk import Acknowledgment, App, RemovalPolicy, Stack, Validations
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from hosted_model import HostedModelProvider, RekognitionCustomLabelsModel

app = App()
stack = Stack(app, "Regulated")

key = kms.Key(stack, "Key", enable_key_rotation=True, removal_policy=RemovalPolicy.DESTROY)

# The network is there before the application: with a NAT gateway, or with endpoints for Rekognition,
# EventBridge, AWS X-Ray and Amazon S3.
vpc = ec2.Vpc.from_vpc_attributes(
    stack,
    "Vpc",
    vpc_id=app.node.try_get_context("vpc_id"),
    availability_zones=app.node.try_get_context("zones"),
    private_subnet_ids=app.node.try_get_context("subnets"),
)
group = ec2.SecurityGroup(
    stack, "Group", vpc=vpc, description="Function that hosts models", allow_all_outbound=False
)
group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "To AWS, by HTTPS")

# A request in it can still be answered by whoever reads it: encrypted, and by TLS alone.
dead_letters = sqs.Queue(stack, "DeadLetters", encryption_master_key=key, enforce_ssl=True)
Validations.of(dead_letters).acknowledge(
    Acknowledgment(
        id="Serverless::Serverless-SQSRedrivePolicy",
        reason="Letters end here: people read them, and no program takes them out.",
    )
)

provider = HostedModelProvider(
    stack,
    "Provider",
    log_retention=logs.RetentionDays.ONE_YEAR,
    log_encryption_key=key,
    environment_encryption=key,
    vpc=vpc,
    security_groups=[group],
    dead_letter_queue=dead_letters,
    # Two for each model.
    reserved_concurrent_executions=2,
    tracing=lambda_.Tracing.ACTIVE,
)
for each in provider.role.node.find_all():
    if isinstance(each, iam.CfnManagedPolicy):
        # Lambda in a VPC, and AWS X-Ray, know no narrower resource.
        skipped = {"id": "CKV_AWS_111", "comment": "Network interfaces and traces have no ARN beforehand"}
        each.add_metadata("checkov", {"skip": [skipped]})

model = RekognitionCustomLabelsModel(
    stack,
    "Inspector",
    project_version_arn=stack.format_arn(
        service="rekognition",
        resource="project",
        resource_name="circuit-boards/version/v1/1700000000001",
    ),
    min_inference_units=1,
)

alarms = sns.Topic(stack, "Alarms", master_key=key, enforce_ssl=True)
# With a policy and a key of its own a topic takes nothing of CloudWatch that is not said here.
for_cloudwatch = {
    "principals": [iam.ServicePrincipal("cloudwatch.amazonaws.com")],
    "conditions": {"StringEquals": {"aws:SourceAccount": stack.account}},
}
alarms.add_to_resource_policy(
    iam.PolicyStatement(actions=["sns:Publish"], resources=[alarms.topic_arn], **for_cloudwatch)
)
key.add_to_resource_policy(
    iam.PolicyStatement(actions=["kms:Decrypt", "kms:GenerateDataKey*"], resources=["*"], **for_cloudwatch)
)
for alarm in (
    provider.add_dropped_request_alarm(),
    model.add_hosting_failure_alarm(),
    model.add_idle_alarm(),
):
    alarm.add_alarm_action(actions.SnsAction(alarms))

app.synth()
