"""A Personalize recommender with hosting hours, and a function that asks it."""

from aws_cdk import App, CfnOutput, Stack, TimeZone
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_scheduler import ScheduleExpression

from hosted_model import HostingHours, OnRunning, PersonalizeRecommender

CODE = """
import os

import boto3

runtime = boto3.client("personalize-runtime")


def handler(event, context):
    answer = runtime.get_recommendations(recommenderArn=os.environ["ARN"], userId=event["user"])
    return [item["itemId"] for item in answer["itemList"]]
"""


def weekdays(hour: str) -> ScheduleExpression:
    return ScheduleExpression.cron(
        minute="0", hour=hour, week_day="MON-FRI", time_zone=TimeZone.EUROPE_BERLIN
    )


app = App()
stack = Stack(app, "Recommender")
recommender = PersonalizeRecommender(
    stack,
    "TopPicks",
    recommender_arn=stack.format_arn(
        service="personalize", resource="recommender", resource_name="top-picks"
    ),
    min_recommendation_requests_per_second=1,
    on_running=OnRunning.ADOPT,
    hosting_hours=HostingHours(start=weekdays("7"), stop=weekdays("19")),
)
recommender.add_hosting_failure_alarm()
function = lambda_.Function(
    stack,
    "Ask",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline(CODE),
    environment={"ARN": recommender.model_arn},
)
recommender.grant_get_recommendations(function)
CfnOutput(stack, "ModelArn", value=recommender.model_arn)
app.synth()
