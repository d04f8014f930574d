"""The registry of services: one adapter each. A new service is a line here, and its file beside this one."""

from __future__ import annotations

from importlib import import_module

from .base import Service

#: Where the adapter of each service is. Imported when a request is about it: a cold start loads one of them.
ADAPTERS: dict[str, str] = {
    "lookoutvision": "hosted_model_runtime.services.lookoutvision:LookoutVisionService",
    "rekognition": "hosted_model_runtime.services.rekognition:RekognitionService",
}


def adapter(service: str) -> type[Service]:
    """Return the adapter's class.

    Raises
    ------
    KeyError
        There is no such service.
    """
    module, _, name = ADAPTERS[service].partition(":")
    found: type[Service] = getattr(import_module(module), name)
    return found


__all__ = ["ADAPTERS", "Service", "adapter"]
