"""Two versions side by side, and a parameter that says which one is live."""

from aws_cdk import App, Stack
from aws_cdk import aws_ssm as ssm

from hosted_model import RekognitionCustomLabelsModel

app = App()
stack = Stack(app, "BlueGreen")
project_arn = stack.format_arn(
    service="rekognition", resource="project", resource_name="circuit-boards/1600000000000"
)
models = {
    version: RekognitionCustomLabelsModel(
        stack, f"Model-{version}", project_arn=project_arn, version_name=version
    )
    for version in app.node.get_context("versions").split()
}
# Callers read the ARN here; it changes once the new version answers.
ssm.StringParameter(
    stack,
    "Live",
    parameter_name="/circuit-boards/live-model",
    string_value=models[app.node.get_context("live")].model_arn,
)
app.synth()
