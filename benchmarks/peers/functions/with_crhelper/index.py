"""A hosted model by crhelper, as its README shows: three decorators and two polls."""

import json
import os

import hosting
from crhelper import CfnResource

helper = CfnResource(**json.loads(os.environ.get("CRHELPER_OPTIONS", "{}")))

try:
    models = hosting.connect()
except Exception as error:
    helper.init_failure(error)


@helper.create
@helper.update
def start(event, context):
    hosting.start(models, event["ResourceProperties"])


@helper.poll_create
@helper.poll_update
def is_hosted(event, context):
    properties = event["ResourceProperties"]
    # None: ask again at the rule's next tick.
    return hosting.physical_id(properties) if hosting.is_hosted(models, properties) else None


@helper.delete
def stop(event, context):
    hosting.stop(models, event["ResourceProperties"])


@helper.poll_delete
def is_stopped(event, context):
    return hosting.is_stopped(models, event["ResourceProperties"]) or None


def handler(event, context):
    helper(event, context)
