"""A Rekognition Custom Labels model, named by its ARN."""

from aws_cdk import App, CfnOutput, Stack

from hosted_model import RekognitionCustomLabelsModel

app = App()
stack = Stack(app, "Rekognition")
model = RekognitionCustomLabelsModel(
    stack,
    "Inspector",
    # Copy yours from the console: arn:aws:rekognition:REGION:ACCOUNT:project/NAME/version/VERSION/TIME
    project_version_arn=stack.format_arn(
        service="rekognition",
        resource="project",
        resource_name="circuit-boards/version/v1/1600000000001",
    ),
    min_inference_units=1,
)
CfnOutput(stack, "ModelArn", value=model.model_arn)
CfnOutput(stack, "HostedAt", value=model.hosted_at)
app.synth()
