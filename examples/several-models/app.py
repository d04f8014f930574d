"""Models of both services in one stack: one function hosts them all, and it is made to measure."""

from aws_cdk import App, Stack
from aws_cdk import aws_logs as logs

from hosted_model import HostedModelProvider, LookoutVisionModel, RekognitionCustomLabelsModel

app = App()
stack = Stack(app, "SeveralModels")

# Without this line the first model makes one with the defaults.
HostedModelProvider(stack, "Hosting", log_retention=logs.RetentionDays.ONE_YEAR)

for version in ("1", "2"):
    LookoutVisionModel(stack, f"Boards{version}", project_name="circuit-boards", model_version=version)
RekognitionCustomLabelsModel(
    stack,
    "Labels",
    project_arn=stack.format_arn(
        service="rekognition", resource="project", resource_name="circuit-boards/1600000000000"
    ),
    version_name="v1",
    min_inference_units=1,
    max_inference_units=2,
)
app.synth()
