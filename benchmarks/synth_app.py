"""``python benchmarks/synth_app.py KIND``: one small CDK app, for its synth to be timed as a whole process.

``bare``: a CustomResource that a function elsewhere serves. ``function``: a function of the app's own,
written by hand with an asset, and the CustomResource. ``hosted-model``: this project's construct. Each
imports only what it needs.
"""

import sys
from pathlib import Path

from aws_cdk import App, CustomResource, Stack

ARN = "arn:aws:lambda:us-east-1:111122223333:function:hosts-models"
PROPERTIES = {"ProjectName": "circuit-boards", "ModelVersion": "1", "MinInferenceUnits": 1}
CODE = Path(__file__).parent / "peers" / "functions" / "with_sleep"


def bare(stack: Stack) -> None:
    CustomResource(
        stack, "Model", service_token=ARN, resource_type="Custom::HostedModel", properties=PROPERTIES
    )


def function(stack: Stack) -> None:
    from aws_cdk import Duration
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_lambda as lambda_

    made = lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_asset(str(CODE)),
        timeout=Duration.minutes(15),
    )
    made.add_to_role_policy(iam.PolicyStatement(actions=["lookoutvision:*"], resources=["*"]))
    CustomResource(
        stack,
        "Model",
        service_token=made.function_arn,
        resource_type="Custom::HostedModel",
        properties=PROPERTIES,
    )


def hosted_model(stack: Stack) -> None:
    from hosted_model import LookoutVisionModel

    LookoutVisionModel(
        stack, "Model", project_name="circuit-boards", model_version="1", min_inference_units=1
    )


KINDS = {"bare": bare, "function": function, "hosted-model": hosted_model}

if __name__ == "__main__":
    app = App()
    KINDS[sys.argv[1]](Stack(app, "Stack"))
    app.synth()
