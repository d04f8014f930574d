"""Amazon Lookout for Vision, API version 2020-11-20, as it was until 2025-10-31.

REST with JSON bodies. Follows the Amazon Lookout for Vision API Reference: StartModel, StopModel,
DescribeModel, ListModels, ListProjects, DetectAnomalies, TagResource, UntagResource and
ListTagsForResource.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
import zlib
from collections.abc import Callable, Mapping
from typing import ClassVar
from urllib.parse import parse_qs, unquote

from . import validation
from .errors import ApiError, InvalidInput
from .http import Request, Response, json_object, json_response
from .models import Lifecycle, ProjectKey, SimulatedModel, partition
from .service import Call, Outcome, Service
from .tokens import TokenMismatch

NAME = "lookoutvision"
ARN_FORMAT = "arn:{partition}:lookoutvision:{region}:{account}:model/{project}/{version}"

LIFECYCLE = Lifecycle(
    service=NAME,
    arn_format=ARN_FORMAT,
    statuses=frozenset(
        {
            "TRAINING",
            "TRAINED",
            "TRAINING_FAILED",
            "STARTING_HOSTING",
            "HOSTED",
            "HOSTING_FAILED",
            "STOPPING_HOSTING",
            "SYSTEM_UPDATING",
            "DELETING",
        }
    ),
    trained="TRAINED",
    starting="STARTING_HOSTING",
    running="HOSTED",
    failed="HOSTING_FAILED",
    stopping="STOPPING_HOSTING",
    stopped="TRAINED",
    startable=frozenset({"TRAINED", "HOSTING_FAILED"}),
    stoppable=frozenset({"HOSTED", "HOSTING_FAILED"}),
    billed=frozenset({"HOSTED", "SYSTEM_UPDATING"}),
    unusable=frozenset({"TRAINING", "TRAINING_FAILED", "DELETING"}),
    messages={
        "TRAINING": "The model is being trained.",
        "TRAINED": "Training completed successfully.",
        "TRAINING_FAILED": "Training failed.",
        "STARTING_HOSTING": "The model is starting.",
        "HOSTED": "The model is running.",
        "HOSTING_FAILED": "The model failed to start.",
        "STOPPING_HOSTING": "The model is stopping.",
        "SYSTEM_UPDATING": "The model is being updated by the service.",
        "DELETING": "The model is being deleted.",
    },
)

ERROR_STATUS = {
    "ValidationException": 400,
    "ServiceQuotaExceededException": 402,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
    "ThrottlingException": 429,
    "InternalServerException": 500,
}
OPERATIONS = frozenset(
    {
        "StartModel",
        "StopModel",
        "DescribeModel",
        "ListModels",
        "ListProjects",
        "DetectAnomalies",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
    }
)

# The reference names the members QuotaCode and ServiceCode but lists no codes; this one says what it is.
QUOTA_CODE = "L-SIMULATED"
MAX_IMAGE_BYTES = 8 * 1024 * 1024

_API_VERSION = "2020-11-20"
_PROJECT = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_\-]*")
_VERSION = re.compile(r"([1-9][0-9]*|latest)")
_TOKEN = re.compile(r"^[a-zA-Z0-9-]+$")
_NEXT_TOKEN = re.compile(r"^[a-zA-Z0-9\/\+\=]{0,2048}$")
_ARN = re.compile(
    r"arn:[a-z\d-]+:lookoutvision:[a-z\d-]+:\d{12}:model/([a-zA-Z0-9][a-zA-Z0-9_\-]*)/([1-9][0-9]*)"
)
_ACTIONS = {
    ("POST", "start"): "StartModel",
    ("POST", "stop"): "StopModel",
    ("POST", "detect"): "DetectAnomalies",
}
_TAG_METHODS = {"POST": "TagResource", "DELETE": "UntagResource", "GET": "ListTagsForResource"}
_WITH_JSON = frozenset({"StartModel", "TagResource"})
# These know no resource: IAM decides on "*".
_LISTS = frozenset({"ListModels", "ListProjects"})


class LookoutVision(Service):
    """The service over a :class:`~.service.World`."""

    name = NAME
    signing_name = NAME
    endpoint_ids = (NAME,)
    lifecycle = LIFECYCLE
    operations = OPERATIONS
    # Detection is the traffic that inference units pay for, not a control call: it has no such quota.
    unmetered = frozenset({"DetectAnomalies"})
    error_status = ERROR_STATUS
    quotas: ClassVar[Mapping[str, int | None]] = {"max_inference_units": None}

    @staticmethod
    def owns_path(path: str) -> bool:
        """Whether an unsigned request is for this service: every path of its API version is."""
        return path.startswith(f"/{_API_VERSION}/")

    @staticmethod
    def is_model_name(project: str, version: str) -> bool:
        """Whether the service could have such a model; ``latest`` is no version of its own."""
        fits = len(project) <= 255 and len(version) <= 10 and version != "latest"
        return fits and bool(_PROJECT.fullmatch(project) and _VERSION.fullmatch(version))

    # --- routing -----------------------------------------------------------------------------------------

    def route(self, request: Request) -> Call:
        """Find the operation by method and path."""
        parts = request.path.split("/")
        if len(parts) >= 4 and parts[:3] == ["", _API_VERSION, "tags"]:
            return self._route_tags(request, unquote("/".join(parts[3:])))
        operation = self._operation(request.method, parts)
        if operation is None:
            raise ApiError("UnknownOperationException", "The operation does not exist.", status=404)
        return Call(
            NAME,
            operation,
            request,
            project=unquote(parts[3]) if len(parts) > 3 else "",
            version=unquote(parts[5]) if len(parts) > 5 else "",
            payload=json_object(request.body) if operation in _WITH_JSON else {},
            client_token=request.headers.get("x-amzn-client-token"),
        )

    @staticmethod
    def _operation(method: str, parts: list[str]) -> str | None:
        """The operation of ``/2020-11-20/projects[/{project}/models[/{version}[/{action}]]]``."""
        if (method, parts) == ("GET", ["", _API_VERSION, "projects"]):
            return "ListProjects"
        if parts[:3] != ["", _API_VERSION, "projects"] or len(parts) < 5 or parts[4] != "models":
            return None
        if len(parts) == 7:
            return _ACTIONS.get((method, parts[6]))
        if method != "GET" or len(parts) > 7:
            return None
        return "ListModels" if len(parts) == 5 else "DescribeModel"

    @staticmethod
    def _route_tags(request: Request, arn: str) -> Call:
        operation = _TAG_METHODS.get(request.method)
        if operation is None:
            raise ApiError("UnknownOperationException", "The operation does not exist.", status=404)
        payload = json_object(request.body) if operation in _WITH_JSON else {}
        call = Call(NAME, operation, request, arn=arn, payload=payload)
        match = _ARN.fullmatch(arn)
        if match:
            call.project, call.version = match[1], match[2]
        return call

    # --- what IAM asks -----------------------------------------------------------------------------------

    def resource(self, call: Call) -> str:
        """The model's ARN with the version as the caller wrote it, ``latest`` included."""
        if call.arn is not None:
            return call.arn
        if call.operation in _LISTS:
            return "*"
        return _arn(call)

    def find(self, call: Call, now: float) -> SimulatedModel | None:
        """The model of path or ARN; ``latest`` is the highest version that was trained."""
        if call.arn is not None and call.arn != _arn(call):
            return None
        if call.version != "latest":
            return self._world.models.get(_project_key(call), call.version, now)
        trained = [
            model
            for model in self._world.models.versions(_project_key(call), now)
            if model.status not in LIFECYCLE.unusable
        ]
        return max(trained, key=lambda model: int(model.version), default=None)

    def request_tags(self, call: Call) -> Mapping[str, str | list[str]]:
        """``aws:requesttag/…`` and ``aws:tagkeys`` of the tag operations."""
        if call.operation == "UntagResource":
            return {"aws:tagkeys": _query(call).get("tagKeys", [])}
        if call.operation != "TagResource":
            return {}
        tags = (call.payload or {}).get("Tags")
        # Authorisation comes before validation, so the shape of the body is not known yet.
        pairs = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
        context: dict[str, str | list[str]] = {
            f"aws:requesttag/{tag.get('Key')}".lower(): str(tag.get("Value")) for tag in pairs
        }
        return {**context, "aws:tagkeys": [str(tag.get("Key")) for tag in pairs]}

    # --- operations --------------------------------------------------------------------------------------

    def perform(self, call: Call, now: float) -> Outcome:
        """Validate and carry out one call."""
        try:
            return _PERFORM[call.operation](self, call, now)
        except InvalidInput as error:
            raise ApiError("ValidationException", str(error)) from error

    def _start_model(self, call: Call, now: float) -> Outcome:
        _check_names(call)
        low, high = validation.inference_units(_body(call))
        model = self._model(call, now)
        scope, inputs = _token_scope(call), (call.project, call.version, low, high)
        if self._is_repeat(call, inputs, now):
            return Outcome(202, {"Status": model.status})
        if not model.can_start():
            raise _conflict(model, f"Model cannot be started while its status is {model.status}.")
        self._check_unit_quota(model, max(low, high or low), now)
        model.start(now, low, high)
        if scope:
            self._world.tokens.remember(scope, inputs, now)
        return Outcome(202, {"Status": model.status}, effect=True)

    def _stop_model(self, call: Call, now: float) -> Outcome:
        _check_names(call)
        model = self._model(call, now)
        scope, inputs = _token_scope(call), (call.project, call.version)
        if self._is_repeat(call, inputs, now):
            return Outcome(202, {"Status": model.status})
        if not model.can_stop():
            raise _conflict(model, f"Model cannot be stopped while its status is {model.status}.")
        model.stop(now)
        if scope:
            self._world.tokens.remember(scope, inputs, now)
        return Outcome(202, {"Status": model.status}, effect=True)

    def _describe_model(self, call: Call, now: float) -> Outcome:
        _check_names(call)
        model = self._world.seen(self._model(call, now), now)
        description = _metadata(model)
        description["OutputConfig"] = {
            "S3Location": {"Bucket": f"lookoutvision-{model.region}-simulated", "Prefix": model.project}
        }
        if model.min_inference_units is not None:
            description["MinInferenceUnits"] = model.min_inference_units
        if model.max_inference_units is not None:
            description["MaxInferenceUnits"] = model.max_inference_units
        return Outcome(200, {"ModelDescription": description})

    def _list_models(self, call: Call, now: float) -> Outcome:
        _check_names(call)
        query = _query(call)
        size = _page_size(query.get("maxResults", ["100"])[0])
        start = _page_start(query.get("nextToken", [""])[0])
        models = self._world.models.versions(_project_key(call), now)
        if not models:
            raise _project_not_found(call)
        models.sort(key=lambda model: int(model.version))
        rest = [model for model in models if int(model.version) > start]
        page = rest[:size]
        payload: dict[str, object] = {"Models": [_metadata(self._world.seen(model, now)) for model in page]}
        if len(rest) > size:
            payload["NextToken"] = base64.b64encode(page[-1].version.encode()).decode()
        return Outcome(200, payload)

    def _list_projects(self, call: Call, now: float) -> Outcome:
        query = _query(call)
        size = _page_size(query.get("maxResults", ["100"])[0])
        after = _name_start(query.get("nextToken", [""])[0])
        found: dict[str, dict[str, object]] = {}
        for model in self._world.models.all(now):
            if (model.lifecycle.service, model.account, model.region) == (NAME, call.account, call.region):
                found.setdefault(model.project, _project(model))
        rest = [found[name] for name in sorted(found) if name > after]
        payload: dict[str, object] = {"Projects": rest[:size]}
        if len(rest) > size:
            payload["NextToken"] = base64.b64encode(str(rest[size - 1]["ProjectName"]).encode()).decode()
        return Outcome(200, payload)

    def _detect_anomalies(self, call: Call, now: float) -> Outcome:
        _check_names(call)
        content_type = call.request.headers.get("content-type", "")
        if content_type not in ("image/png", "image/jpeg"):
            raise validation.violation(content_type, "contentType", "Member must be image/png or image/jpeg")
        if not 0 < len(call.request.body) <= MAX_IMAGE_BYTES:
            raise InvalidInput(f"The image must have 1 to {MAX_IMAGE_BYTES} bytes.")
        model = self._model(call, now)
        if model.status != LIFECYCLE.running:
            raise _conflict(model, f"Model is not hosted; its status is {model.status}.")
        # The same image always gets the same answer.
        score = zlib.crc32(call.request.body)
        result = {
            "Source": {"Type": "direct"},
            "IsAnomalous": bool(score & 1),
            "Confidence": round(0.5 + (score >> 1) % 5000 / 10000, 4),
        }
        return Outcome(200, {"DetectAnomalyResult": result})

    def _tag_resource(self, call: Call, now: float) -> Outcome:
        _check_arn(call)
        tags = _tags(_body(call).get("Tags"))
        model = self._model(call, now)
        merged = {**model.tags, **tags}
        if len(merged) > validation.MAX_TAGS:
            raise _quota_exceeded(model, f"A resource can have at most {validation.MAX_TAGS} tags.")
        effect = merged != model.tags
        model.write_tags(merged, now)
        return Outcome(200, {}, effect)

    def _untag_resource(self, call: Call, now: float) -> Outcome:
        _check_arn(call)
        keys = _query(call).get("tagKeys")
        if keys is None:
            raise validation.violation(None, "tagKeys", "Member must not be null")
        if len(keys) > validation.MAX_TAGS_IN_REQUEST:
            raise InvalidInput(f"At most {validation.MAX_TAGS_IN_REQUEST} tag keys can be given.")
        for key in keys:
            validation.tag_key(key)
        model = self._model(call, now)
        left = {key: value for key, value in model.tags.items() if key not in keys}
        effect = left != model.tags
        model.write_tags(left, now)
        return Outcome(200, {}, effect)

    def _list_tags_for_resource(self, call: Call, now: float) -> Outcome:
        _check_arn(call)
        tags = self._world.seen_tags(self._model(call, now), now)
        return Outcome(200, {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})

    # --- parts of operations -----------------------------------------------------------------------------

    def _model(self, call: Call, now: float) -> SimulatedModel:
        model = self.find(call, now)
        if model is not None:
            return model
        if call.arn is None and not self._world.models.versions(_project_key(call), now):
            raise _project_not_found(call)
        raise ApiError(
            "ResourceNotFoundException",
            f"Model version {call.version} of project {call.project} does not exist.",
            {"ResourceId": call.arn or f"{call.project}/{call.version}", "ResourceType": "MODEL"},
        )

    def _is_repeat(self, call: Call, inputs: tuple[object, ...], now: float) -> bool:
        """Whether the ClientToken says that this call was completed before.

        "An error occurs if the other input parameters are not the same as in the first request": the
        reference does not name that error. ConflictException is chosen here.
        """
        scope = _token_scope(call)
        if scope is None:
            return False
        try:
            return self._world.tokens.is_repeat(scope, inputs, now)
        except TokenMismatch as mismatch:
            raise ApiError(
                "ConflictException",
                "The ClientToken was used before, with other input parameters.",
                {"ResourceId": f"{call.project}/{call.version}", "ResourceType": "MODEL"},
            ) from mismatch

    def _check_unit_quota(self, model: SimulatedModel, units: int, now: float) -> None:
        limit = self._world.limits.count("max_inference_units", model.account)
        if limit is None:
            return
        active = self._world.models.active(NAME, model.account, model.region, now)
        used = sum(other.units for other in active)
        if used + units > limit:
            raise _quota_exceeded(
                model, f"The account's {limit} inference units are exceeded ({used} in use)."
            )

    # --- the wire ----------------------------------------------------------------------------------------

    def error(self, code: str, call: Call) -> ApiError:
        """An error as a fault or the request quota brings it, with every member that the reference has."""
        members: dict[str, str] = {}
        if code in ("ResourceNotFoundException", "ConflictException", "ServiceQuotaExceededException"):
            members = {"ResourceId": call.arn or f"{call.project}/{call.version}", "ResourceType": "MODEL"}
        if code in ("ThrottlingException", "ServiceQuotaExceededException"):
            members |= {"QuotaCode": QUOTA_CODE, "ServiceCode": NAME}
        return ApiError(code, _MESSAGES.get(code, code), members)

    def success(self, outcome: Outcome) -> Response:
        """JSON and a request ID."""
        return json_response(outcome.status, outcome.payload, {"x-amzn-requestid": str(uuid.uuid4())})

    def failure(self, error: ApiError) -> Response:
        """The code in ``x-amzn-ErrorType``, the members in the body, Retry-After in its header."""
        status = error.forced_status or ERROR_STATUS.get(error.code) or error.status or 400
        headers = {"x-amzn-requestid": str(uuid.uuid4()), "x-amzn-ErrorType": error.code}
        if status in (429, 500) and error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        return json_response(status, {"Message": error.message, **error.members}, headers)


_PERFORM: dict[str, Callable[[LookoutVision, Call, float], Outcome]] = {
    "StartModel": LookoutVision._start_model,
    "StopModel": LookoutVision._stop_model,
    "DescribeModel": LookoutVision._describe_model,
    "ListModels": LookoutVision._list_models,
    "ListProjects": LookoutVision._list_projects,
    "DetectAnomalies": LookoutVision._detect_anomalies,
    "TagResource": LookoutVision._tag_resource,
    "UntagResource": LookoutVision._untag_resource,
    "ListTagsForResource": LookoutVision._list_tags_for_resource,
}

_MESSAGES = {
    "ValidationException": "An input validation error occurred.",
    "ServiceQuotaExceededException": "A service quota was exceeded.",
    "AccessDeniedException": "You are not authorized to perform the action.",
    "ResourceNotFoundException": "The resource could not be found.",
    "ConflictException": "The update or deletion of a resource caused an inconsistent state.",
    "ThrottlingException": "Rate exceeded",
    "InternalServerException": "Amazon Lookout for Vision experienced a service issue. Try your call again.",
}


def _project_key(call: Call) -> ProjectKey:
    return (NAME, call.account, call.region, call.project)


def _arn(call: Call) -> str:
    return ARN_FORMAT.format(
        partition=partition(call.region),
        region=call.region,
        account=call.account,
        project=call.project,
        version=call.version,
    )


def _check_names(call: Call) -> None:
    """Project, version and ClientToken of a request; ListModels has no version, most have no token."""
    validation.text(call.project, "projectName", low=1, high=255, pattern=_PROJECT)
    if call.operation != "ListModels":
        validation.text(call.version, "modelVersion", low=1, high=10, pattern=_VERSION)
    if call.operation in ("StartModel", "StopModel") and call.client_token is not None:
        validation.text(call.client_token, "clientToken", low=1, high=64, pattern=_TOKEN)


def _check_arn(call: Call) -> None:
    arn = validation.text(call.arn, "resourceArn", low=1, high=1011)
    if not call.project:
        raise validation.violation(arn, "resourceArn", "Member must be the ARN of a model")


def _body(call: Call) -> dict[str, object]:
    if call.payload is None:
        raise InvalidInput("The body is not a JSON object.")
    return call.payload


def _query(call: Call) -> dict[str, list[str]]:
    return parse_qs(call.request.query, keep_blank_values=True)


def _token_scope(call: Call) -> tuple[str, str, str, str] | None:
    if call.client_token is None:
        return None
    return (call.account, call.region, call.operation, call.client_token)


def _page_size(value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,10}", value):
        raise validation.violation(value, "maxResults", "Member must be an integer")
    return validation.integer(int(value), "maxResults", low=1, high=100)


def _page_start(token: str) -> int:
    """The version after which the page begins."""
    validation.text(token, "nextToken", low=0, high=2048, pattern=_NEXT_TOKEN)
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("The pagination token is invalid.") from error


def _name_start(token: str) -> str:
    """The project after which the page begins."""
    validation.text(token, "nextToken", low=0, high=2048, pattern=_NEXT_TOKEN)
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("The pagination token is invalid.") from error


def _tags(value: object) -> dict[str, str]:
    """The member Tags of TagResource."""
    if not isinstance(value, list):
        raise validation.violation(value, "tags", "Member must be a list")
    if len(value) > validation.MAX_TAGS_IN_REQUEST:
        raise validation.violation(
            "…", "tags", f"Member must have length less than or equal to {validation.MAX_TAGS_IN_REQUEST}"
        )
    tags: dict[str, str] = {}
    for tag in value:
        if not isinstance(tag, dict):
            raise validation.violation(tag, "tags", "Member must be an object")
        key = validation.tag_key(tag.get("Key"))
        if key in tags:
            raise validation.violation(key, "tags", "Member must not repeat a key")
        tags[key] = validation.tag_value(tag.get("Value"))
    return tags


def _metadata(model: SimulatedModel) -> dict[str, object]:
    metadata: dict[str, object] = {
        "CreationTimestamp": model.created,
        "ModelVersion": model.version,
        "ModelArn": model.arn,
        "Status": model.status,
        "StatusMessage": model.status_message,
    }
    if model.status not in LIFECYCLE.unusable:
        metadata["Performance"] = {"F1Score": 0.96, "Recall": 0.95, "Precision": 0.97}
    return metadata


def _project(model: SimulatedModel) -> dict[str, object]:
    where = f"{partition(model.region)}:lookoutvision:{model.region}:{model.account}"
    return {
        "ProjectArn": f"arn:{where}:project/{model.project}",
        "ProjectName": model.project,
        "CreationTimestamp": model.created,
    }


def _conflict(model: SimulatedModel, message: str) -> ApiError:
    members = {"ResourceId": f"{model.project}/{model.version}", "ResourceType": "MODEL"}
    return ApiError("ConflictException", message, members)


def _quota_exceeded(model: SimulatedModel, message: str) -> ApiError:
    members = {"ResourceId": f"{model.project}/{model.version}", "ResourceType": "MODEL"}
    return ApiError(
        "ServiceQuotaExceededException", message, {**members, "QuotaCode": QUOTA_CODE, "ServiceCode": NAME}
    )


def _project_not_found(call: Call) -> ApiError:
    return ApiError(
        "ResourceNotFoundException",
        f"Project {call.project} does not exist.",
        {"ResourceId": call.project, "ResourceType": "PROJECT"},
    )
