"""The registry of services: a service's name comes in, its adapter comes out.

A new service is a line here, and a file beside this one.
"""

from __future__ import annotations

from importlib import import_module

from .base import Service

#: Where each adapter is. It is imported when a request needs it, so that a cold start loads only one.
ADAPTERS: dict[str, str] = {
    "lookoutvision": "hosted_model_runtime.services.lookoutvision:LookoutVisionService",
    "rekognition": "hosted_model_runtime.services.rekognition:RekognitionService",
    "personalize": "hosted_model_runtime.services.personalize:PersonalizeService",
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
