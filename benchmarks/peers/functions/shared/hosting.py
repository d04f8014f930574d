"""What every peer's function does with a model of Lookout for Vision; boto3 no longer knows the service."""

from pathlib import Path

import boto3
import botocore.session
from botocore.config import Config

WAITING = {"STARTING_HOSTING", "STOPPING_HOSTING", "SYSTEM_UPDATING"}


def connect():
    """Return a client of Lookout for Vision, with the service model that lies beside this file."""
    session = botocore.session.get_session()
    session.get_component("data_loader").search_paths.append(str(Path(__file__).parent / "data"))
    # Retries with back-off: throttling is not the peers' fault.
    config = Config(retries={"mode": "standard", "total_max_attempts": 5})
    return boto3.Session(botocore_session=session).client("lookoutvision", config=config)


def physical_id(properties):
    return f"{properties['ProjectName']}/{properties['ModelVersion']}"


def start(client, properties):
    client.start_model(**_names(properties), MinInferenceUnits=int(properties["MinInferenceUnits"]))


def stop(client, properties):
    """Stop the model; one that is gone or stopped is as it should be."""
    try:
        if _describe(client, properties)["Status"] != "TRAINED":
            client.stop_model(**_names(properties))
    except client.exceptions.ResourceNotFoundException:
        return


def is_hosted(client, properties):
    return has_reached("HOSTED", _describe(client, properties))


def is_stopped(client, properties):
    try:
        return has_reached("TRAINED", _describe(client, properties))
    except client.exceptions.ResourceNotFoundException:
        return True


def has_reached(status, description):
    """Say whether the model has the status; raise when it is in one from which it does not get there."""
    if description["Status"] == status:
        return True
    if description["Status"] in WAITING:
        return False
    raise RuntimeError(f"The model is {description['Status']}: {description.get('StatusMessage', '')}")


def _describe(client, properties):
    return client.describe_model(**_names(properties))["ModelDescription"]


def _names(properties):
    return {"ProjectName": properties["ProjectName"], "ModelVersion": properties["ModelVersion"]}
