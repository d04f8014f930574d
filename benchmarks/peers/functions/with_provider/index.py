"""A hosted model by the CDK's Provider framework: `on_event` begins, `is_complete` is asked until it is."""

import hosting

models = hosting.connect()


def on_event(event, context):
    properties = event["ResourceProperties"]
    if event["RequestType"] == "Delete":
        hosting.stop(models, properties)
    else:
        hosting.start(models, properties)
    return {"PhysicalResourceId": hosting.physical_id(properties)}


def is_complete(event, context):
    done = hosting.is_stopped if event["RequestType"] == "Delete" else hosting.is_hosted
    return {"IsComplete": done(models, event["ResourceProperties"])}
