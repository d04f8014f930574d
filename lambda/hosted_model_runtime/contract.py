"""What the construct and the function agree on: names and limits, each written once.

Standard library only, because the construct imports this file at synth and the function imports it at
cold start. The limits are those of the services' API references, named beside each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

RESOURCE_TYPE = "Custom::HostedModel"


class Property:
    """Names of the custom resource's properties."""

    SERVICE = "Service"
    MODEL = "Model"
    MIN_INFERENCE_UNITS = "MinInferenceUnits"
    MAX_INFERENCE_UNITS = "MaxInferenceUnits"
    ON_RUNNING = "OnRunning"
    TIMEOUT_SECONDS = "HostingTimeoutSeconds"
    HOSTING_HOURS = "HostingHours"


class Attribute:
    """Names of the attributes that ``Fn::GetAtt`` returns."""

    MODEL_ARN = "ModelArn"
    MODEL_VERSION = "ModelVersion"
    STATUS = "Status"
    HOSTED_AT = "HostedAt"


class Tag:
    """Keys of the tags that carry the lease on a model (see ``lease.py``)."""

    STACK = "hosted-model:stack"
    LOGICAL_ID = "hosted-model:logical-id"
    REQUEST = "hosted-model:request"
    HOURS = "hosted-model:hours"
    CLOSED = "hosted-model:closed"
    #: Which other resource of the same stack had the model before its owner, and the last mark of that one.
    FORMER_LOGICAL_ID = "hosted-model:former-logical-id"
    FORMER_REQUEST = "hosted-model:former-request"

    OWNER = (STACK, LOGICAL_ID, REQUEST, HOURS, FORMER_LOGICAL_ID, FORMER_REQUEST)
    ALL = (*OWNER, CLOSED)


class Scheduled:
    """The event of a schedule of hosting hours: its members, and what its goal may be."""

    GOAL = "HostedModel"
    TIME = "ScheduledTime"
    START = "Start"
    STOP = "Stop"

    GOALS = (START, STOP)
    #: "Adding context attributes in EventBridge Scheduler", EventBridge Scheduler User Guide.
    TIME_ATTRIBUTE = "<aws.scheduler.scheduled-time>"
    #: How often a scheduled start that fails is tried, and what it waits before each further one, in seconds.
    ATTEMPTS = 3
    RETRY_SECONDS = 120.0


class Metric:
    """The function's own CloudWatch metrics: namespace, names, dimensions, and the values of ``Reason``."""

    NAMESPACE = "HostedModel"
    #: Seconds from CloudFormation's request to a model that answers.
    TIME_TO_HOSTED = "TimeToHosted"
    #: Seconds that a model was hosted, once it is stopped.
    HOSTING_SECONDS = "HostingSeconds"
    HOSTING_FAILURES = "HostingFailures"
    SUPERSEDED_REQUESTS = "SupersededRequests"

    SERVICE = "Service"
    PROJECT = "Project"
    VERSION = "Version"
    DIMENSIONS = (SERVICE, PROJECT, VERSION)
    #: One more dimension of HostingFailures, always one of REASONS: each new value is a metric that bills.
    REASON = "Reason"

    QUOTA = "QUOTA"
    DENIED = "DENIED"
    INVALID = "INVALID"
    HOSTING_FAILED = "HOSTING_FAILED"
    TIMEOUT = "TIMEOUT"
    FOREIGN = "FOREIGN"
    OTHER = "OTHER"
    REASONS = (QUOTA, DENIED, INVALID, HOSTING_FAILED, TIMEOUT, FOREIGN, OTHER)


class OnRunning:
    """What a request does with a model that already runs and that no stack owns."""

    FAIL = "FAIL"
    ADOPT = "ADOPT"


class Env:
    """Environment variables of the function."""

    RULE_PREFIX = "HOSTED_MODEL_RULE_PREFIX"
    #: The stack for which the function acts; events of any other are refused.
    STACK_ID = "HOSTED_MODEL_STACK_ID"
    #: Where the local cloud takes answers, as host:port. No template sets it.
    LOCAL_RESPONSE_HOST = "HOSTED_MODEL_LOCAL_RESPONSE_HOST"
    #: By which factor the local cloud shortens the waits for what AWS may show late. No template sets it.
    LOCAL_PATIENCE = "HOSTED_MODEL_LOCAL_PATIENCE"
    LOG_LEVEL = "HOSTED_MODEL_LOG_LEVEL"
    #: How many models the stack declares: ``service=number`` of each service, with spaces between.
    MODELS = "HOSTED_MODEL_MODELS"


#: EventBridge: "Name: Minimum length of 1. Maximum length of 64" (PutRule); a RequestId has 36 characters.
RULE_NAME_MAX = 64
REQUEST_ID_LENGTH = 36

#: CloudFormation: ServiceTimeout is "from 1 to 3600" seconds (AWS::CloudFormation::CustomResource).
SERVICE_TIMEOUT_MAX = 3600
#: Below this a request could not answer in time once its margin is taken off.
SERVICE_TIMEOUT_MIN = 60
#: Seconds before ServiceTimeout at which a request gives up, so that its answer still arrives.
DEADLINE_MARGIN = 30

#: Both services: "Valid Range: Minimum value of 1" (StartModel, StartProjectVersion).
INFERENCE_UNITS_MIN = 1


def check_units(minimum: int, maximum: int | None, minimum_name: str = "min_inference_units") -> str | None:
    """Say what is wrong with a pair of inference units, or None.

    Parameters
    ----------
    minimum, maximum
        Inference units, whole numbers of at least 1; ``maximum`` may be absent (no auto-scaling).
    """
    for name, value in ((minimum_name, minimum), ("max_inference_units", maximum)):
        if name == "max_inference_units" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            return f"{name} must be a whole number, but it is {value!r}"
        if value < INFERENCE_UNITS_MIN:
            return f"{name} must be at least {INFERENCE_UNITS_MIN}, but it is {value}"
    if maximum is not None and maximum < minimum:
        return f"max_inference_units ({maximum}) must not be smaller than min_inference_units ({minimum})"
    return None


@dataclass(frozen=True)
class Limit:
    """A string parameter's length and pattern, as an API reference states them."""

    name: str
    pattern: str
    minimum: int
    maximum: int
    source: str

    def check(self, value: object) -> str | None:
        """Say what is wrong with ``value``, naming the limit, or None."""
        if not isinstance(value, str):
            return f"{self.name} must be a string, but it is {value!r}"
        if not self.minimum <= len(value) <= self.maximum:
            return (
                f"{self.name} must have {self.minimum} to {self.maximum} characters, "
                f"but {value!r} has {len(value)} ({self.source})"
            )
        if not re.fullmatch(self.pattern, value):
            return f"{self.name} must match {self.pattern}, but it is {value!r} ({self.source})"
        return None


class LookoutVision:
    """Amazon Lookout for Vision, API 2020-11-20."""

    SERVICE = "lookoutvision"
    PROJECT_NAME = "ProjectName"
    MODEL_VERSION = "ModelVersion"
    LATEST = "latest"
    #: As Rekognition Custom Labels, whose units these were too.
    INFERENCE_UNITS_BY_DEFAULT = 5

    LIMITS: Mapping[str, Limit] = {
        PROJECT_NAME: Limit(
            "project_name",
            r"[a-zA-Z0-9][a-zA-Z0-9_\-]*",
            1,
            255,
            "StartModel, Amazon Lookout for Vision API Reference",
        ),
        MODEL_VERSION: Limit(
            "model_version",
            r"([1-9][0-9]*|latest)",
            1,
            10,
            "StartModel, Amazon Lookout for Vision API Reference",
        ),
    }


class Rekognition:
    """Amazon Rekognition Custom Labels, API 2016-06-27."""

    SERVICE = "rekognition"
    PROJECT_VERSION_ARN = "ProjectVersionArn"
    PROJECT_ARN = "ProjectArn"
    VERSION_NAME = "VersionName"
    #: "Guidelines and quotas in Amazon Rekognition Custom Labels": inference units of one running model.
    INFERENCE_UNITS_BY_DEFAULT = 5

    LIMITS: Mapping[str, Limit] = {
        PROJECT_VERSION_ARN: Limit(
            "project_version_arn",
            r"(^arn:[a-z\d-]+:rekognition:[a-z\d-]+:\d{12}:project\/[a-zA-Z0-9_.\-]{1,255}"
            r"\/version\/[a-zA-Z0-9_.\-]{1,255}\/[0-9]+$)",
            20,
            2048,
            "StartProjectVersion, Amazon Rekognition API Reference",
        ),
        PROJECT_ARN: Limit(
            "project_arn",
            r"(^arn:[a-z\d-]+:rekognition:[a-z\d-]+:\d{12}:project\/[a-zA-Z0-9_.\-]{1,255}\/[0-9]+$)",
            20,
            2048,
            "DescribeProjectVersions, Amazon Rekognition API Reference",
        ),
        VERSION_NAME: Limit(
            "version_name",
            r"[a-zA-Z0-9_.\-]+",
            1,
            255,
            "DescribeProjectVersions, Amazon Rekognition API Reference",
        ),
    }

    #: "CloudWatch metrics for Rekognition": models that were trained after August 2022 publish their units.
    UNITS_SINCE_MILLISECONDS = 1_661_990_400_000

    @classmethod
    def publishes_units(cls, version_arn: str) -> bool:
        """Say whether a model publishes InServiceInferenceUnits: its ARN ends with when it was trained."""
        trained = version_arn.rpartition("/")[2]
        return not trained.isdecimal() or int(trained) >= cls.UNITS_SINCE_MILLISECONDS

    #: A model is named in one of these ways.
    SHAPES = ({PROJECT_VERSION_ARN}, {PROJECT_ARN, VERSION_NAME})

    @classmethod
    def check(cls, model: Mapping[str, object]) -> str | None:
        """Say what is wrong with a ``Model`` property, or None."""
        if set(model) not in cls.SHAPES:
            either = " or ".join(" and ".join(sorted(shape)) for shape in cls.SHAPES)
            return f"Model must have {either}, but it has {sorted(model)}"
        return check_members(cls.LIMITS, model)

    @classmethod
    def names(cls, model: Mapping[str, str]) -> tuple[str, str]:
        """Return the names of project and version; together they are unique in an account and region."""
        if cls.PROJECT_VERSION_ARN in model:
            _, project, _, version, _ = model[cls.PROJECT_VERSION_ARN].split("/")
            return project, version
        return model[cls.PROJECT_ARN].split("/")[1], model[cls.VERSION_NAME]


class Personalize:
    """Amazon Personalize, API 2018-05-22: its recommenders."""

    SERVICE = "personalize"
    RECOMMENDER_ARN = "RecommenderArn"
    #: A recommender has no project; in metrics and names this stands for one, as in its ARN.
    PROJECT = "recommender"
    #: Of the recommender's configuration: its units.
    UNITS = "minRecommendationRequestsPerSecond"

    LIMITS: Mapping[str, Limit] = {
        RECOMMENDER_ARN: Limit(
            "recommender_arn",
            r"arn:[a-z\d-]+:personalize:[a-z\d-]+:\d{12}:recommender/[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}",
            20,
            256,
            "StartRecommender, Amazon Personalize API Reference",
        ),
    }

    @classmethod
    def check(cls, model: Mapping[str, object]) -> str | None:
        """Say what is wrong with a ``Model`` property, or None."""
        if set(model) != {cls.RECOMMENDER_ARN}:
            return f"Model must have {cls.RECOMMENDER_ARN}, but it has {sorted(model)}"
        return check_members(cls.LIMITS, model)

    @classmethod
    def names(cls, model: Mapping[str, str]) -> tuple[str, str]:
        """Return what stands for a project, and the recommender's name, unique in an account and region."""
        return cls.PROJECT, model[cls.RECOMMENDER_ARN].rsplit("/", 1)[-1]


def check_members(limits: Mapping[str, Limit], model: Mapping[str, object]) -> str | None:
    """Say which member of a ``Model`` property breaks its limit, or None."""
    return next((wrong for name, value in model.items() if (wrong := limits[name].check(value))), None)
