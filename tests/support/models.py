"""Models of the world, put there and read."""

from __future__ import annotations

from typing import Any

from support.cases import PROJECT, ServiceCase
from support.world import World


def seed(world: World, case: ServiceCase, version: str = "1", **given: Any) -> None:
    """Put a trained model there, or change the one that is."""
    body = {"service": case.name, "status": case.stopped, "start_seconds": 40, "stop_seconds": 10, **given}
    world.control("PUT", f"models/{PROJECT}/{version}", body)


def model(world: World, case: ServiceCase, version: str = "1") -> dict[str, Any]:
    """Return the model as the simulator has it now."""
    models = world.control("GET", "models")
    return next(m for m in models if m["version"] == version and m["service"] == case.name)
