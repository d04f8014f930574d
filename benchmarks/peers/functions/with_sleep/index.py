"""A hosted model by one invocation of one function: it starts, sleeps, asks and answers."""

import json
import time

import hosting
import urllib3

INTERVAL_SECONDS = 5

models = hosting.connect()
http = urllib3.PoolManager()


def handler(event, context):
    properties = event["ResourceProperties"]
    try:
        if event["RequestType"] == "Delete":
            hosting.stop(models, properties)
            wait(hosting.is_stopped, properties)
        else:
            hosting.start(models, properties)
            wait(hosting.is_hosted, properties)
    except Exception as error:
        answer(event, "FAILED", str(error))
    else:
        answer(event, "SUCCESS", "")


def wait(done, properties, sleep=time.sleep):
    while not done(models, properties):
        sleep(INTERVAL_SECONDS)


def answer(event, status, reason):
    body = {
        "Status": status,
        "Reason": reason[:1000],
        "PhysicalResourceId": hosting.physical_id(event["ResourceProperties"]),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    http.request("PUT", event["ResponseURL"], body=json.dumps(body), headers={"Content-Type": ""})
