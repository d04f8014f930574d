"""A model that runs already, started by hand: this stack takes it over without a restart."""

from aws_cdk import App, CfnOutput, Stack

from hosted_model import OnRunning, RekognitionCustomLabelsModel

app = App()
stack = Stack(app, "AdoptARunningModel")
model = RekognitionCustomLabelsModel(
    stack,
    "Inspector",
    project_version_arn=stack.format_arn(
        service="rekognition",
        resource="project",
        resource_name="circuit-boards/version/v1/1600000000001",
    ),
    # Declare what runs: with other units the deploy fails and says both.
    min_inference_units=1,
    on_running=OnRunning.ADOPT,
)
CfnOutput(stack, "ModelArn", value=model.model_arn)
app.synth()
