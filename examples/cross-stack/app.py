"""One stack hosts, another one uses: the users' policies and functions come and go without a restart."""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from hosted_model import IHostedModel, RekognitionCustomLabelsModel


class Hosting(Stack):
    """The model; deployed first, destroyed last."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.model = RekognitionCustomLabelsModel(
            self,
            "Inspector",
            project_version_arn=self.format_arn(
                service="rekognition",
                resource="project",
                resource_name="circuit-boards/version/v1/1600000000001",
            ),
        )


class Using(Stack):
    """Whoever asks the model; takes any hosted model."""

    def __init__(self, scope: Construct, construct_id: str, *, model: IHostedModel) -> None:
        super().__init__(scope, construct_id)
        role = iam.Role(self, "Inspection", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        model.grant(role, "rekognition:DetectCustomLabels")
        CfnOutput(self, "ModelArn", value=model.model_arn)


app = App()
hosting = Hosting(app, "Hosting")
Using(app, "Using", model=hosting.model)
app.synth()
