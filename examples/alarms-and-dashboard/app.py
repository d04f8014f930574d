"""Is the model running, is anybody using it, what does it cost, and can its hosting be trusted?"""

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from hosted_model import RekognitionCustomLabelsModel

app = App()
stack = Stack(app, "AlarmsAndDashboard")
model = RekognitionCustomLabelsModel(
    stack,
    "Inspector",
    project_version_arn=stack.format_arn(
        service="rekognition",
        resource="project",
        resource_name="circuit-boards/version/v1/1600000000001",
    ),
    min_inference_units=int(app.node.try_get_context("units") or 1),
    max_inference_units=3,
)

# Units are billed, and nobody has asked the model for two hours.
model.add_idle_alarm(idle_for=Duration.hours(2))
# A deploy, or a scheduled start, could not host the model.
model.add_hosting_failure_alarm()

units = model.metric_in_service_inference_units(period=Duration.minutes(5))
stopped = units.create_alarm(
    stack,
    "Stopped",
    alarm_description="Somebody stopped the model outside of this stack: deploy again",
    threshold=1,
    comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluation_periods=2,
    # A model that is stopped publishes nothing.
    treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
)
# Before the model runs there is nothing to watch.
stopped.node.add_dependency(model)
units.create_alarm(
    stack,
    "AtItsLimit",
    alarm_description="The model uses all of its inference units: raise max_inference_units",
    threshold=3,
    evaluation_periods=12,
)
model.provider.function.metric_errors().create_alarm(
    stack,
    "FunctionFails",
    alarm_description="The function that starts and stops models ended with an error",
    threshold=1,
    evaluation_periods=1,
    treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
)

board = cloudwatch.Dashboard(stack, "Dashboard")
board.add_widgets(*model.dashboard_widgets())
app.synth()
