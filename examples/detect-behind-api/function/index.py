"""POST an image, get its labels."""

import base64
import json
import os
from typing import Any

import boto3

rekognition = boto3.client("rekognition")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send the body to the model; the model runs, for this function was deployed after it."""
    body = event.get("body") or ""
    image = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    answer = rekognition.detect_custom_labels(
        ProjectVersionArn=os.environ["MODEL_ARN"], Image={"Bytes": image}
    )
    labels = {label["Name"]: label["Confidence"] for label in answer["CustomLabels"]}
    return {"statusCode": 200, "body": json.dumps(labels)}
