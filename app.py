"""The sample app: the models that ``cdk.json`` or ``-c`` name are hosted by one stack. No logic, no AWS call.

``cdk deploy -c project=circuit-boards -c version=3 [-c min_units=1] [-c max_units=2]``
"""

import os

from aws_cdk import App, CfnOutput, Environment, Stack

from hosted_model import LookoutVisionModel

app = App()
context = app.node.try_get_context

stack = Stack(
    app,
    "HostedModels",
    description="Models that are hosted for as long as this stack declares them",
    env=Environment(
        account=os.environ.get("CDK_DEFAULT_ACCOUNT"), region=os.environ.get("CDK_DEFAULT_REGION")
    ),
)
max_units = context("max_units")
model = LookoutVisionModel(
    stack,
    "Model",
    project_name=context("project"),
    model_version=str(context("version")),
    min_inference_units=int(context("min_units")),
    max_inference_units=int(max_units) if max_units else None,
)
CfnOutput(stack, "ModelArn", value=model.model_arn)
CfnOutput(stack, "ModelVersion", value=model.model_version)
CfnOutput(stack, "Status", value=model.status)
CfnOutput(stack, "HostedAt", value=model.hosted_at)

app.synth()
