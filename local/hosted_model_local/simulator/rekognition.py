"""Amazon Rekognition Custom Labels, the part that hosts models.

JSON 1.1 over ``POST /`` with the header ``X-Amz-Target``. Follows the Amazon Rekognition API Reference:
StartProjectVersion, StopProjectVersion, DescribeProjects, DescribeProjectVersions, DetectCustomLabels,
TagResource, UntagResource and ListTagsForResource.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable, Mapping
from typing import ClassVar

from . import validation
from .errors import ApiError, InvalidInput
from .http import Request, Response, json_object, json_response
from .models import Lifecycle, ProjectKey, SimulatedModel
from .service import Call, Outcome, Service

NAME = "rekognition"
PROJECT_ARN_FORMAT = "arn:{partition}:rekognition:{region}:{account}:project/{project}/{project_timestamp}"
ARN_FORMAT = (
    "arn:{partition}:rekognition:{region}:{account}:project/{project}/version/{version}/{version_timestamp}"
)

LIFECYCLE = Lifecycle(
    service=NAME,
    arn_format=ARN_FORMAT,
    project_arn_format=PROJECT_ARN_FORMAT,
    statuses=frozenset(
        {
            "TRAINING_IN_PROGRESS",
            "TRAINING_COMPLETED",
            "TRAINING_FAILED",
            "STARTING",
            "RUNNING",
            "FAILED",
            "STOPPING",
            "STOPPED",
            "DELETING",
            "COPYING_IN_PROGRESS",
            "COPYING_COMPLETED",
            "COPYING_FAILED",
            "DEPRECATED",
            "EXPIRED",
        }
    ),
    trained="TRAINING_COMPLETED",
    starting="STARTING",
    running="RUNNING",
    failed="FAILED",
    stopping="STOPPING",
    stopped="STOPPED",
    startable=frozenset({"TRAINING_COMPLETED", "STOPPED", "COPYING_COMPLETED", "FAILED"}),
    stoppable=frozenset({"RUNNING", "FAILED"}),
    billed=frozenset({"RUNNING"}),
    unusable=frozenset(
        {"TRAINING_IN_PROGRESS", "TRAINING_FAILED", "DELETING", "COPYING_IN_PROGRESS", "COPYING_FAILED"}
    ),
    messages={
        "TRAINING_IN_PROGRESS": "The model is being trained.",
        "TRAINING_COMPLETED": "The model is ready to run.",
        "TRAINING_FAILED": "The model failed to train.",
        "STARTING": "The model is starting.",
        "RUNNING": "The model is running.",
        "FAILED": "The model failed to start.",
        "STOPPING": "The model is stopping.",
        "STOPPED": "The model is stopped.",
        "DELETING": "The model is being deleted.",
        "COPYING_IN_PROGRESS": "The model is being copied.",
        "COPYING_COMPLETED": "The model was copied.",
        "COPYING_FAILED": "The model could not be copied.",
        "DEPRECATED": "The model is deprecated.",
        "EXPIRED": "The model has expired.",
    },
)

# The service model marks ThrottlingException as a fault of the server: 500, unlike in other services.
ERROR_STATUS = {
    "AccessDeniedException": 400,
    "ImageTooLargeException": 400,
    "InternalServerError": 500,
    "InvalidImageFormatException": 400,
    "InvalidPaginationTokenException": 400,
    "InvalidParameterException": 400,
    "InvalidS3ObjectException": 400,
    "LimitExceededException": 400,
    "ProvisionedThroughputExceededException": 400,
    "ResourceInUseException": 400,
    "ResourceNotFoundException": 400,
    "ResourceNotReadyException": 400,
    "ServiceQuotaExceededException": 400,
    "ThrottlingException": 500,
}
OPERATIONS = frozenset(
    {
        "StartProjectVersion",
        "StopProjectVersion",
        "DescribeProjects",
        "DescribeProjectVersions",
        "DetectCustomLabels",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
    }
)

MAX_IMAGE_BYTES = 4 * 1024 * 1024

_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}
_NAME = re.compile(r"[a-zA-Z0-9_.\-]+")
_PROJECT_ARN = re.compile(
    r"arn:[a-z\d-]+:rekognition:[a-z\d-]+:\d{12}:project/([a-zA-Z0-9_.\-]{1,255})/[0-9]+"
)
_VERSION_ARN = re.compile(
    r"arn:[a-z\d-]+:rekognition:[a-z\d-]+:\d{12}:"
    r"project/([a-zA-Z0-9_.\-]{1,255})/version/([a-zA-Z0-9_.\-]{1,255})/[0-9]+"
)
_ARN_MEMBERS = {
    "DescribeProjectVersions": "ProjectArn",
    "TagResource": "ResourceArn",
    "UntagResource": "ResourceArn",
    "ListTagsForResource": "ResourceArn",
}


class Rekognition(Service):
    """The service over a :class:`~.service.World`."""

    name = NAME
    signing_name = NAME
    endpoint_ids = (NAME,)
    lifecycle = LIFECYCLE
    operations = OPERATIONS
    # Detection is the traffic that inference units pay for, not a control call: it has no such quota.
    unmetered = frozenset({"DetectCustomLabels"})
    error_status = ERROR_STATUS
    quotas: ClassVar[Mapping[str, int | None]] = {"max_running_models": 2, "max_units_per_model": 5}
    target_prefix = "RekognitionService."

    @staticmethod
    def is_model_name(project: str, version: str) -> bool:
        """Whether the service could have such a model."""
        return all(len(name) <= 255 and _NAME.fullmatch(name) for name in (project, version))

    # --- routing -----------------------------------------------------------------------------------------

    def route(self, request: Request) -> Call:
        """Find the operation by the header X-Amz-Target."""
        target = request.headers.get("x-amz-target", "")
        operation = target.removeprefix(self.target_prefix)
        known = target.startswith(self.target_prefix) and operation in OPERATIONS
        if not known or (request.method, request.path) != ("POST", "/"):
            raise ApiError("UnknownOperationException", "The operation does not exist.")
        payload = json_object(request.body)
        arn = (payload or {}).get(_ARN_MEMBERS.get(operation, "ProjectVersionArn"))
        call = Call(NAME, operation, request, payload=payload, arn=arn if isinstance(arn, str) else "")
        _read_arn(call)
        return call

    # --- what IAM asks -----------------------------------------------------------------------------------

    def resource(self, call: Call) -> str:
        """The ARN of project or project version as the caller wrote it."""
        return call.arn or "*"

    def find(self, call: Call, now: float) -> SimulatedModel | None:
        """The model whose ARN this is, timestamp included."""
        model = self._world.models.get(_project_key(call), call.version, now)
        return model if model is not None and model.arn == call.arn else None

    def request_tags(self, call: Call) -> Mapping[str, str | list[str]]:
        """``aws:requesttag/…`` and ``aws:tagkeys`` of the tag operations."""
        payload = call.payload or {}
        tags, keys = payload.get("Tags"), payload.get("TagKeys")
        if call.operation == "UntagResource" and isinstance(keys, list):
            return {"aws:tagkeys": [str(key) for key in keys]}
        if call.operation != "TagResource" or not isinstance(tags, dict):
            return {}
        context: dict[str, str | list[str]] = {
            f"aws:requesttag/{key}".lower(): str(value) for key, value in tags.items()
        }
        return {**context, "aws:tagkeys": list(tags)}

    # --- operations --------------------------------------------------------------------------------------

    def perform(self, call: Call, now: float) -> Outcome:
        """Validate and carry out one call."""
        try:
            return _PERFORM[call.operation](self, call, now)
        except InvalidInput as error:
            raise ApiError("InvalidParameterException", str(error)) from error

    def _start_project_version(self, call: Call, now: float) -> Outcome:
        low, high = validation.inference_units(_body(call))
        model = self._model(call, now)
        if not model.can_start():
            raise ApiError(
                "ResourceInUseException", f"The model cannot be started while it is {model.status}."
            )
        self._check_limits(model, max(low, high or low), now)
        model.start(now, low, high)
        return Outcome(200, {"Status": model.status}, effect=True)

    def _stop_project_version(self, call: Call, now: float) -> Outcome:
        model = self._model(call, now)
        if not model.can_stop():
            raise ApiError(
                "ResourceInUseException", f"The model cannot be stopped while it is {model.status}."
            )
        model.stop(now)
        return Outcome(200, {"Status": model.status}, effect=True)

    def _describe_projects(self, call: Call, now: float) -> Outcome:
        payload = _body(call)
        names = _names(payload.get("ProjectNames"), "projectNames")
        _check_features(payload.get("Features"))
        # A project is made by its first version here, and has that one's time stamp.
        projects: dict[str, SimulatedModel] = {}
        for model in self._world.models.all(now):
            here = (model.lifecycle.service, model.account, model.region) == (NAME, call.account, call.region)
            if here and (names is None or model.project in names):
                projects.setdefault(model.project_arn, model)
        described = [_project_description(model) for model in projects.values()]
        return Outcome(200, _page(payload, "ProjectDescriptions", described))

    def _describe_project_versions(self, call: Call, now: float) -> Outcome:
        payload = _body(call)
        if not _PROJECT_ARN.fullmatch(call.arn or ""):
            raise validation.violation(call.arn, "projectArn", "Member must be the ARN of a project")
        names = _names(payload.get("VersionNames"), "versionNames")
        models = [
            model
            for model in self._world.models.versions(_project_key(call), now)
            if model.project_arn == call.arn
        ]
        if not models:
            raise ApiError("ResourceNotFoundException", "The project was not found.")
        wanted = [model for model in models if names is None or model.version in names]
        described = [_description(self._world.seen(model, now)) for model in wanted]
        return Outcome(200, _page(payload, "ProjectVersionDescriptions", described))

    def _detect_custom_labels(self, call: Call, now: float) -> Outcome:
        payload = _body(call)
        _check_image(payload.get("Image"))
        least = payload.get("MinConfidence", 0)
        if isinstance(least, bool) or not isinstance(least, int | float) or not 0 <= least <= 100:
            raise validation.violation(least, "minConfidence", "Member must be a number from 0 to 100")
        most = payload.get("MaxResults")
        most = 1 if most is None else validation.integer(most, "maxResults", low=0)
        model = self._model(call, now)
        if model.status != LIFECYCLE.running:
            raise ApiError("ResourceNotReadyException", f"The model is not running; it is {model.status}.")
        labels = [{"Name": "simulated", "Confidence": 90.0}] if least <= 90 else []
        return Outcome(200, {"CustomLabels": labels[:most]})

    def _tag_resource(self, call: Call, now: float) -> Outcome:
        tags = _body(call).get("Tags")
        if not isinstance(tags, dict) or len(tags) > validation.MAX_TAGS_IN_REQUEST:
            raise InvalidInput(f"Tags must be an object of at most {validation.MAX_TAGS_IN_REQUEST} members.")
        new = {validation.tag_key(key): validation.tag_value(value) for key, value in tags.items()}
        model = self._model(call, now)
        merged = {**model.tags, **new}
        if len(merged) > validation.MAX_TAGS:
            message = f"A resource can have at most {validation.MAX_TAGS} tags."
            raise ApiError("ServiceQuotaExceededException", message)
        effect = merged != model.tags
        model.write_tags(merged, now)
        return Outcome(200, {}, effect)

    def _untag_resource(self, call: Call, now: float) -> Outcome:
        keys = _body(call).get("TagKeys")
        if not isinstance(keys, list) or len(keys) > validation.MAX_TAGS_IN_REQUEST:
            raise InvalidInput(f"TagKeys must be a list of at most {validation.MAX_TAGS_IN_REQUEST} keys.")
        gone = {validation.tag_key(key) for key in keys}
        model = self._model(call, now)
        left = {key: value for key, value in model.tags.items() if key not in gone}
        effect = left != model.tags
        model.write_tags(left, now)
        return Outcome(200, {}, effect)

    def _list_tags_for_resource(self, call: Call, now: float) -> Outcome:
        return Outcome(200, {"Tags": self._world.seen_tags(self._model(call, now), now)})

    # --- parts of operations -----------------------------------------------------------------------------

    def _model(self, call: Call, now: float) -> SimulatedModel:
        _body(call)
        validation.text(call.arn, "arn", low=20, high=2048)
        if not _VERSION_ARN.fullmatch(call.arn or ""):
            raise validation.violation(call.arn, "arn", "Member must be the ARN of a project version")
        model = self.find(call, now)
        if model is None:
            raise ApiError("ResourceNotFoundException", "The project version was not found.")
        return model

    def _check_limits(self, model: SimulatedModel, units: int, now: float) -> None:
        most_units = self._world.limits.count("max_units_per_model", model.account)
        if most_units is not None and units > most_units:
            message = f"A model can use at most {most_units} inference units."
            raise ApiError("LimitExceededException", message)
        active = self._world.models.active(NAME, model.account, model.region, now)
        most_models = self._world.limits.count("max_running_models", model.account)
        if most_models is not None and len(active) >= most_models:
            message = f"At most {most_models} models can run at a time."
            raise ApiError("LimitExceededException", message)

    # --- the wire ----------------------------------------------------------------------------------------

    def success(self, outcome: Outcome) -> Response:
        """JSON and a request ID."""
        return json_response(outcome.status, outcome.payload, _with_request_id())

    def failure(self, error: ApiError) -> Response:
        """The code in ``__type``; 400 but for what the service itself is to blame for."""
        status = (
            error.forced_status
            or ERROR_STATUS.get(error.code)
            or (error.status if error.status in (408, 500) else 400)
        )
        return json_response(status, {"__type": error.code, "Message": error.message}, _with_request_id())


_PERFORM: dict[str, Callable[[Rekognition, Call, float], Outcome]] = {
    "StartProjectVersion": Rekognition._start_project_version,
    "StopProjectVersion": Rekognition._stop_project_version,
    "DescribeProjects": Rekognition._describe_projects,
    "DescribeProjectVersions": Rekognition._describe_project_versions,
    "DetectCustomLabels": Rekognition._detect_custom_labels,
    "TagResource": Rekognition._tag_resource,
    "UntagResource": Rekognition._untag_resource,
    "ListTagsForResource": Rekognition._list_tags_for_resource,
}


def _with_request_id() -> dict[str, str]:
    return {**_HEADERS, "x-amzn-requestid": str(uuid.uuid4())}


def _read_arn(call: Call) -> None:
    """Fill in project and version from the ARN; what is no ARN leaves them empty."""
    arn = call.arn or ""
    if version := _VERSION_ARN.fullmatch(arn):
        call.project, call.version = version[1], version[2]
    elif project := _PROJECT_ARN.fullmatch(arn):
        call.project = project[1]
        names = (call.payload or {}).get("VersionNames")
        # So that a fault for one model strikes the question after that model.
        if isinstance(names, list) and len(names) == 1:
            call.version = str(names[0])


def _project_key(call: Call) -> ProjectKey:
    return (NAME, call.account, call.region, call.project)


def _body(call: Call) -> dict[str, object]:
    if call.payload is None:
        raise InvalidInput("The body is not a JSON object.")
    return call.payload


def _names(value: object, member: str) -> set[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not 1 <= len(value) <= 10:
        raise validation.violation(value, member, "Member must be a list of 1 to 10 names")
    return {validation.text(name, member, low=1, high=255, pattern=_NAME) for name in value}


def _check_features(value: object) -> None:
    """Only Custom Labels projects are known here, and they are what is listed when nothing is asked."""
    if value is None:
        return
    if not isinstance(value, list) or set(map(str, value)) != {"CUSTOM_LABELS"}:
        raise validation.violation(value, "features", "Member must be CUSTOM_LABELS here")


def _page(payload: dict[str, object], member: str, items: list[dict[str, object]]) -> dict[str, object]:
    """One page of a list, and the token of the next if there is one."""
    size = payload.get("MaxResults")
    size = 100 if size is None else validation.integer(size, "maxResults", low=1, high=100)
    start = _page_start(payload.get("NextToken"))
    answer: dict[str, object] = {member: items[start : start + size]}
    if start + size < len(items):
        answer["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return answer


def _page_start(token: object) -> int:
    if token is None:
        return 0
    try:
        start = int(base64.b64decode(str(token), validate=True))
    except (binascii.Error, ValueError):
        start = -1
    if start < 0:
        raise ApiError("InvalidPaginationTokenException", "The pagination token is not valid.")
    return start


def _check_image(image: object) -> None:
    """An image has bytes or an S3 object, not both; only the size of bytes is looked at."""
    if not isinstance(image, dict) or (image.get("Bytes") is None) == (image.get("S3Object") is None):
        raise validation.violation(image, "image", "Member must have either Bytes or S3Object")
    if image.get("Bytes") is None:
        return
    try:
        size = len(base64.b64decode(image["Bytes"], validate=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise InvalidInput("Bytes is not base64.") from error
    if not size:
        raise validation.violation("", "image.bytes", "Member must have length greater than or equal to 1")
    if size > MAX_IMAGE_BYTES:
        raise ApiError("ImageTooLargeException", f"The image has more than {MAX_IMAGE_BYTES} bytes.")


def _project_description(model: SimulatedModel) -> dict[str, object]:
    return {
        "ProjectArn": model.project_arn,
        "CreationTimestamp": model.project_timestamp / 1000,
        "Status": "CREATED",
        "Feature": "CUSTOM_LABELS",
    }


def _description(model: SimulatedModel) -> dict[str, object]:
    description: dict[str, object] = {
        "ProjectVersionArn": model.arn,
        "CreationTimestamp": model.created,
        "Status": model.status,
        "StatusMessage": model.status_message,
        "OutputConfig": {"S3Bucket": f"rekognition-{model.region}-simulated", "S3KeyPrefix": model.project},
        "Feature": "CUSTOM_LABELS",
    }
    if model.status not in LIFECYCLE.unusable:
        description["EvaluationResult"] = {"F1Score": 0.96}
    if model.min_inference_units is not None:
        description["MinInferenceUnits"] = model.min_inference_units
    if model.max_inference_units is not None:
        description["MaxInferenceUnits"] = model.max_inference_units
    return description
