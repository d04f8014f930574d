"""One small adapter a service."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .base import Service
from .lookoutvision import LookoutVisionService
from .rekognition import RekognitionService

#: A new service is one line here, one adapter file, one construct file.
FACTORIES: Mapping[str, Callable[[], Service]] = {
    LookoutVisionService.name: LookoutVisionService.connect,
    RekognitionService.name: RekognitionService.connect,
}

__all__ = ["FACTORIES", "Service"]
