"""Hosted models for the AWS CDK: declare what bills by the hour, and deploying starts and stops it."""

from __future__ import annotations

from .alarms import AlarmOptions
from .hours import HOURS, HostingHours
from .interface import IHostedModel
from .lookoutvision import RETIRED, LookoutVisionModel
from .metric_options import MetricOptions
from .model import RETAINED, SHORT_TIMEOUT, UNITS, HostedModel, OnRunning
from .personalize import PersonalizeRecommender
from .provider import CONCURRENCY, HostedModelProvider
from .rekognition import NO_UNITS, RekognitionCustomLabelsModel

__all__ = [
    "CONCURRENCY",
    "HOURS",
    "NO_UNITS",
    "RETAINED",
    "RETIRED",
    "SHORT_TIMEOUT",
    "UNITS",
    "AlarmOptions",
    "HostedModel",
    "HostedModelProvider",
    "HostingHours",
    "IHostedModel",
    "LookoutVisionModel",
    "MetricOptions",
    "OnRunning",
    "PersonalizeRecommender",
    "RekognitionCustomLabelsModel",
]
