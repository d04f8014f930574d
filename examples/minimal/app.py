"""The least there is: a Lookout for Vision model, hosted for as long as this stack exists."""

from aws_cdk import App, CfnOutput, Stack

from hosted_model import LookoutVisionModel

app = App()
stack = Stack(app, "Minimal")
model = LookoutVisionModel(stack, "Inspector", project_name="circuit-boards", model_version="1")
CfnOutput(stack, "ModelArn", value=model.model_arn)
app.synth()
