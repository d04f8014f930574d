"""Hosted models for the AWS CDK: declare what bills by the hour, and deploying starts and stops it."""

from __future__ import annotations

from .lookoutvision import LookoutVisionModel
from .model import HostedModel, OnRunning
from .provider import HostedModelProvider

__all__ = ["HostedModel", "HostedModelProvider", "LookoutVisionModel", "OnRunning"]
