"""Amazon Personalize, the part that hosts recommenders.

AWS JSON 1.1 over ``POST /`` with the header ``X-Amz-Target``, and GetRecommendations as REST over
``POST /recommendations``. Follows the Amazon Personalize API Reference: StartRecommender, StopRecommender,
UpdateRecommender, DescribeRecommender, ListRecommenders, TagResource, UntagResource, ListTagsForResource and
GetRecommendations. What it leaves open is decided here as follows:

- A start or a stop in a state that does not allow it, and a stop while an update is under way, are refused
  with ResourceInUseException; of an update the same.
- A start that fails leaves the recommender INACTIVE, with a failureReason.
- UpdateRecommender replaces the whole configuration: what is left out is gone.
- The project of the control API is the dataset group, the version is the recommender's name.
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
from .models import Lifecycle, Resizing, SimulatedModel, partition
from .service import Call, Outcome, Service

NAME = "personalize"
LIFECYCLE = Lifecycle(
    service=NAME,
    arn_format="arn:{partition}:personalize:{region}:{account}:recommender/{version}",
    statuses=frozenset(
        {
            "CREATE PENDING",
            "CREATE IN_PROGRESS",
            "CREATE FAILED",
            "ACTIVE",
            "STOP PENDING",
            "STOP IN_PROGRESS",
            "INACTIVE",
            "START PENDING",
            "START IN_PROGRESS",
            "DELETE PENDING",
            "DELETE IN_PROGRESS",
        }
    ),
    trained="INACTIVE",
    start_pending="START PENDING",
    starting="START IN_PROGRESS",
    running="ACTIVE",
    failed="INACTIVE",
    stop_pending="STOP PENDING",
    stopping="STOP IN_PROGRESS",
    stopped="INACTIVE",
    startable=frozenset({"INACTIVE"}),
    stoppable=frozenset({"ACTIVE"}),
    billed=frozenset({"ACTIVE"}),
    unusable=frozenset({"CREATE PENDING", "CREATE IN_PROGRESS", "CREATE FAILED"}),
    messages={"CREATE FAILED": "The recommender could not be created."},
    failure="The recommender could not be started.",
)

# "HTTP Status Code: 400" stands beside each error in the API Reference, the missing resource included. Only
# the runtime's service model says 404 for that.
ERROR_STATUS = {
    "InvalidInputException": 400,
    "InvalidNextTokenException": 400,
    "LimitExceededException": 400,
    "ResourceInUseException": 400,
    "ResourceNotFoundException": 400,
    "ThrottlingException": 400,
    "TooManyTagKeysException": 400,
    "TooManyTagsException": 400,
}
CONTROL = frozenset(
    {
        "StartRecommender",
        "StopRecommender",
        "UpdateRecommender",
        "DescribeRecommender",
        "ListRecommenders",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
    }
)
GET_RECOMMENDATIONS = "GetRecommendations"
_TAGGING = frozenset({"TagResource", "UntagResource", "ListTagsForResource"})
_RUNTIME_PATH = "/recommendations"
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]*")
_ARN = re.compile(r"arn:([a-z\d-]+):personalize:.*:.*:.+")
_RECOMMENDER = re.compile(r"arn:[a-z\d-]+:personalize:([^:]+):([^:]+):recommender/(.+)")
_UNITS = "minRecommendationRequestsPerSecond"
_CONFIG = frozenset(
    {_UNITS, "itemExplorationConfig", "trainingDataConfig", "enableMetadataWithRecommendations"}
)
_MAX_ARN, _PAGE = 256, 100


class Personalize(Service):
    """The service over a :class:`~.service.World`."""

    name = NAME
    signing_name = NAME
    target_prefix = "AmazonPersonalize."
    endpoint_ids = (NAME, "personalize-runtime")
    lifecycle = LIFECYCLE
    operations = CONTROL | {GET_RECOMMENDATIONS}
    # Recommendations are the traffic that is paid for, not a control call.
    unmetered = frozenset({GET_RECOMMENDATIONS})
    error_status = ERROR_STATUS
    # The Service Authorization Reference lists no condition keys.
    tells_tags = False
    quotas: ClassVar[Mapping[str, int | None]] = {"max_active_recommenders": None}

    @staticmethod
    def owns_path(path: str) -> bool:
        """Whether a request without a target is for the runtime."""
        return path == _RUNTIME_PATH

    @staticmethod
    def is_model_name(project: str, version: str) -> bool:
        """Whether the service could have such a recommender in such a dataset group."""
        return all(len(name) <= 63 and _NAME.fullmatch(name) for name in (project, version))

    # --- routing -----------------------------------------------------------------------------------------

    def route(self, request: Request) -> Call:
        """Find the operation: by the target, or the runtime's by its path."""
        target = request.headers.get("x-amz-target", "")
        operation = target.removeprefix(self.target_prefix)
        if (request.method, request.path) == ("POST", _RUNTIME_PATH):
            operation = GET_RECOMMENDATIONS
        elif (
            (request.method, request.path) != ("POST", "/") or operation == target or operation not in CONTROL
        ):
            raise ApiError("UnknownOperationException", "The operation does not exist.")
        payload = json_object(request.body)
        arn = (payload or {}).get("resourceArn" if operation in _TAGGING else "recommenderArn")
        call = Call(NAME, operation, request, payload=payload, arn=arn if isinstance(arn, str) else "")
        if match := _RECOMMENDER.fullmatch(call.arn or ""):
            call.version = match[3]
        return call

    # --- what IAM asks -----------------------------------------------------------------------------------

    def resource(self, call: Call) -> str:
        """The recommender's ARN as the caller wrote it; listing and tagging know no resource."""
        known = call.operation != "ListRecommenders" and call.operation not in _TAGGING
        return (known and call.arn) or "*"

    def find(self, call: Call, now: float) -> SimulatedModel | None:
        """The recommender that has the ARN: names are unique in account and region."""
        if not call.arn:
            return None
        found = next((one for one in self._here(call, now) if one.arn == call.arn), None)
        if found is not None:
            # So that a fault for one model strikes it by its name in the control API, too.
            call.project = found.project
        return found

    def _here(self, call: Call, now: float) -> list[SimulatedModel]:
        return [
            one
            for one in self._world.models.all(now)
            if (one.lifecycle.service, one.account, one.region) == (NAME, call.account, call.region)
        ]

    def request_tags(self, call: Call) -> Mapping[str, str | list[str]]:
        """``aws:requesttag/…`` and ``aws:tagkeys`` of the tag operations, where IAM is told."""
        payload = call.payload or {}
        tags, keys = payload.get("tags"), payload.get("tagKeys")
        if call.operation == "UntagResource" and isinstance(keys, list):
            return {"aws:tagkeys": [str(key) for key in keys]}
        if call.operation != "TagResource" or not isinstance(tags, list):
            return {}
        given = {str(tag.get("tagKey")): str(tag.get("tagValue")) for tag in tags if isinstance(tag, dict)}
        context: dict[str, str | list[str]] = {
            f"aws:requesttag/{key}".lower(): value for key, value in given.items()
        }
        return {**context, "aws:tagkeys": list(given)}

    # --- operations --------------------------------------------------------------------------------------

    def perform(self, call: Call, now: float) -> Outcome:
        """Validate and carry out one call."""
        try:
            return _PERFORM[call.operation](self, call, now)
        except InvalidInput as error:
            raise ApiError("InvalidInputException", str(error)) from error
        except ApiError as error:
            if call.operation == GET_RECOMMENDATIONS and error.code == "ResourceNotFoundException":
                error.forced_status = 404
            raise

    def _start(self, call: Call, now: float) -> Outcome:
        model = self._model(call, now)
        if not model.can_start():
            raise _in_use(model, "started")
        most = self._world.limits.count("max_active_recommenders", model.account)
        if (
            most is not None
            and len(self._world.models.active(NAME, model.account, model.region, now)) >= most
        ):
            raise ApiError("LimitExceededException", f"At most {most} recommenders can be active at a time.")
        model.start(now, model.min_inference_units or 1, None)
        return Outcome(200, {"recommenderArn": model.arn}, effect=True)

    def _stop(self, call: Call, now: float) -> Outcome:
        model = self._model(call, now)
        if not model.can_stop() or model.is_resizing:
            raise _in_use(model, "stopped")
        model.stop(now)
        return Outcome(200, {"recommenderArn": model.arn}, effect=True)

    def _update(self, call: Call, now: float) -> Outcome:
        config = _body(call).get("recommenderConfig")
        if not isinstance(config, dict) or not set(config) <= _CONFIG:
            raise validation.violation(config, "recommenderConfig", "Member must be a RecommenderConfig")
        units = validation.integer(config.get(_UNITS, 1), _UNITS, low=1)
        model = self._model(call, now)
        if model.status != LIFECYCLE.running or model.is_resizing:
            raise _in_use(model, "updated")
        settings = {key: value for key, value in config.items() if key != _UNITS}
        model.resize(now, units, settings)
        return Outcome(200, {"recommenderArn": model.arn}, effect=True)

    def _describe(self, call: Call, now: float) -> Outcome:
        model = self._world.seen(self._model(call, now), now)
        described = _summary(model)
        if model.status_message and model.status in ("CREATE FAILED", LIFECYCLE.failed):
            described["failureReason"] = model.status_message
        if model.resizing is not None:
            described["latestRecommenderUpdate"] = _update_summary(model, model.resizing, now)
        if model.status not in LIFECYCLE.unusable:
            described["modelMetrics"] = {"coverage": 0.5}
        return Outcome(200, {"recommender": described})

    def _list(self, call: Call, now: float) -> Outcome:
        payload = _body(call)
        size = payload.get("maxResults")
        size = _PAGE if size is None else validation.integer(size, "maxResults", low=1, high=_PAGE)
        group = payload.get("datasetGroupArn")
        here = [one for one in self._here(call, now) if group in (None, _group_arn(one))]
        found = [_summary(self._world.seen(one, now)) for one in here]
        start = _page_start(payload.get("nextToken"))
        answer: dict[str, object] = {"recommenders": found[start : start + size]}
        if start + size < len(found):
            answer["nextToken"] = base64.b64encode(str(start + size).encode()).decode()
        return Outcome(200, answer)

    def _get_recommendations(self, call: Call, now: float) -> Outcome:
        payload = _body(call)
        most = payload.get("numResults")
        most = 25 if most is None else validation.integer(most, "numResults", low=0)
        for member in ("userId", "itemId"):
            if payload.get(member) is not None:
                validation.text(payload[member], member, low=0, high=256)
        model = self._model(call, now)
        if model.status != LIFECYCLE.running:
            raise ApiError("ResourceNotFoundException", f"Recommender {model.version} is not active.")
        items = [{"itemId": f"item-{number}", "score": 0.5} for number in range(1, 4)]
        return Outcome(200, {"itemList": items[:most], "recommendationId": f"RID-{uuid.uuid4()}"})

    def _tag(self, call: Call, now: float) -> Outcome:
        tags = _body(call).get("tags")
        if not isinstance(tags, list) or len(tags) > validation.MAX_TAGS_IN_REQUEST:
            raise InvalidInput(f"tags must be a list of at most {validation.MAX_TAGS_IN_REQUEST} tags.")
        pairs = [tag if isinstance(tag, dict) else {} for tag in tags]
        new = {
            validation.tag_key(tag.get("tagKey")): validation.tag_value(tag.get("tagValue")) for tag in pairs
        }
        model = self._model(call, now)
        merged = {**model.tags, **new}
        if len(merged) > validation.MAX_TAGS:
            raise ApiError("TooManyTagsException", f"A resource has at most {validation.MAX_TAGS} tags.")
        effect = merged != model.tags
        model.write_tags(merged, now)
        return Outcome(200, {}, effect)

    def _untag(self, call: Call, now: float) -> Outcome:
        keys = _body(call).get("tagKeys")
        if not isinstance(keys, list) or len(keys) > validation.MAX_TAGS_IN_REQUEST:
            raise InvalidInput(f"tagKeys must be a list of at most {validation.MAX_TAGS_IN_REQUEST} keys.")
        gone = {validation.tag_key(key) for key in keys}
        model = self._model(call, now)
        left = {key: value for key, value in model.tags.items() if key not in gone}
        effect = left != model.tags
        model.write_tags(left, now)
        return Outcome(200, {}, effect)

    def _list_tags(self, call: Call, now: float) -> Outcome:
        tags = self._world.seen_tags(self._model(call, now), now)
        return Outcome(200, {"tags": [{"tagKey": key, "tagValue": value} for key, value in tags.items()]})

    # --- parts of operations -----------------------------------------------------------------------------

    def _model(self, call: Call, now: float) -> SimulatedModel:
        _body(call)
        validation.text(call.arn, "arn", low=1, high=_MAX_ARN, pattern=_ARN)
        model = self.find(call, now)
        if model is None:
            raise ApiError("ResourceNotFoundException", f"Resource {call.arn} was not found.")
        return model

    # --- the wire ----------------------------------------------------------------------------------------

    def success(self, outcome: Outcome) -> Response:
        """JSON and a request ID."""
        return json_response(outcome.status, outcome.payload, _with_request_id())

    def failure(self, error: ApiError) -> Response:
        """The code in ``__type`` and, as the runtime has it, in a header."""
        status = (
            error.forced_status
            or ERROR_STATUS.get(error.code)
            or (error.status if error.status in (408, 500) else 400)
        )
        headers = {**_with_request_id(), "x-amzn-ErrorType": error.code}
        return json_response(status, {"__type": error.code, "message": error.message}, headers)


_PERFORM: dict[str, Callable[[Personalize, Call, float], Outcome]] = {
    "StartRecommender": Personalize._start,
    "StopRecommender": Personalize._stop,
    "UpdateRecommender": Personalize._update,
    "DescribeRecommender": Personalize._describe,
    "ListRecommenders": Personalize._list,
    GET_RECOMMENDATIONS: Personalize._get_recommendations,
    "TagResource": Personalize._tag,
    "UntagResource": Personalize._untag,
    "ListTagsForResource": Personalize._list_tags,
}


def _with_request_id() -> dict[str, str]:
    return {"Content-Type": "application/x-amz-json-1.1", "x-amzn-requestid": str(uuid.uuid4())}


def _body(call: Call) -> dict[str, object]:
    if call.payload is None:
        raise InvalidInput("The body is not a JSON object.")
    return call.payload


def _in_use(model: SimulatedModel, done: str) -> ApiError:
    state = "being updated" if model.is_resizing else model.status
    return ApiError("ResourceInUseException", f"The recommender cannot be {done} while it is {state}.")


def _page_start(token: object) -> int:
    if token is None:
        return 0
    try:
        start = int(base64.b64decode(str(token), validate=True))
    except (binascii.Error, ValueError):
        start = -1
    if start < 0:
        raise ApiError("InvalidNextTokenException", "The token is not valid.")
    return start


def _group_arn(model: SimulatedModel) -> str:
    place = f"{partition(model.region)}:personalize:{model.region}:{model.account}"
    return f"arn:{place}:dataset-group/{model.project}"


def _summary(model: SimulatedModel) -> dict[str, object]:
    recipe = f"arn:{partition(model.region)}:personalize:::recipe/aws-ecomm-popular-items-by-views"
    return {
        "name": model.version,
        "recommenderArn": model.arn,
        "datasetGroupArn": _group_arn(model),
        "recipeArn": recipe,
        "recommenderConfig": {**model.settings, _UNITS: model.min_inference_units or 1},
        "creationDateTime": model.created,
        "lastUpdatedDateTime": model.since,
        "status": model.status,
    }


def _update_summary(model: SimulatedModel, update: Resizing, now: float) -> dict[str, object]:
    pending = now < update.began + (update.due - update.began) / 4
    status = "CREATE PENDING" if pending else "CREATE IN_PROGRESS"
    if update.ended is not None:
        status = "CREATE FAILED" if update.fails else "ACTIVE"
    summary: dict[str, object] = {
        "recommenderConfig": {**update.settings, _UNITS: update.units},
        "creationDateTime": update.began,
        "lastUpdatedDateTime": update.began if update.ended is None else update.ended,
        "status": status,
    }
    if status == "CREATE FAILED":
        summary["failureReason"] = model.failure_message or "The recommender could not be updated."
    return summary
