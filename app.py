"""The sample app: the model that ``cdk.json`` or ``-c`` names is hosted by one stack. No logic, no AWS call.

``cdk deploy -c project=circuit-boards -c version=3 [-c min_units=1] [-c max_units=2]``
``cdk deploy -c service=rekognition -c model_arn=arn:aws:rekognition:…:project/NAME/version/VERSION/TIME``
``cdk deploy -c service=personalize -c model_arn=arn:aws:personalize:…:recommender/NAME [-c min_units=1]``
``cdk deploy -c service=rekognition -c project=arn:aws:rekognition:…:project/NAME/TIME -c version=VERSION``
"""

import os
from typing import Any

from aws_cdk import App, CfnOutput, Environment, Stack

from hosted_model import LookoutVisionModel, PersonalizeRecommender, RekognitionCustomLabelsModel

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
project, version, max_units = context("project"), str(context("version")), context("max_units")
units: dict[str, Any] = {
    "min_inference_units": int(context("min_units")),
    "max_inference_units": int(max_units) if max_units else None,
}
model: LookoutVisionModel | PersonalizeRecommender | RekognitionCustomLabelsModel
match context("service"), context("model_arn"):
    case "rekognition", None:
        model = RekognitionCustomLabelsModel(
            stack, "Model", project_arn=project, version_name=version, **units
        )
    case "rekognition", arn:
        model = RekognitionCustomLabelsModel(stack, "Model", project_version_arn=arn, **units)
    case "personalize", arn:
        requests = units["min_inference_units"]
        model = PersonalizeRecommender(
            stack, "Model", recommender_arn=arn, min_recommendation_requests_per_second=requests
        )
    case _:
        model = LookoutVisionModel(stack, "Model", project_name=project, model_version=version, **units)
CfnOutput(stack, "ModelArn", value=model.model_arn)
CfnOutput(stack, "ModelVersion", value=model.model_version)
CfnOutput(stack, "Status", value=model.status)
CfnOutput(stack, "HostedAt", value=model.hosted_at)

app.synth()
