"""A function behind an HTTP API that asks the model: granted, and deployed once the model answers."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration

from hosted_model import RekognitionCustomLabelsModel

app = App()
stack = Stack(app, "DetectBehindApi")
model = RekognitionCustomLabelsModel(
    stack,
    "Inspector",
    project_version_arn=stack.format_arn(
        service="rekognition",
        resource="project",
        resource_name="circuit-boards/version/v1/1600000000001",
    ),
)

function = lambda_.Function(
    stack,
    "Detect",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_asset(str(Path(__file__).parent / "function")),
    timeout=Duration.seconds(15),
    # Known once the model is hosted: CloudFormation makes the function after that.
    environment={"MODEL_ARN": model.model_arn},
)
model.grant_detect_custom_labels(function)

api = apigateway.HttpApi(stack, "Api", default_authorizer=HttpIamAuthorizer())
api.add_routes(
    path="/detect",
    methods=[apigateway.HttpMethod.POST],
    integration=HttpLambdaIntegration("Integration", function),
)
# The API names nothing of the model: without this line callers may find it before the model answers.
api.node.add_dependency(model)

CfnOutput(stack, "Url", value=f"{api.api_endpoint}/detect")
app.synth()
