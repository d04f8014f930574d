"""The services that the command knows. A new one is a file with its row, and a line here."""

from __future__ import annotations

from .lookoutvision import ROW as LOOKOUTVISION
from .personalize import ROW as PERSONALIZE
from .rekognition import ROW as REKOGNITION
from .row import Place, Price, ServiceRow

#: By name, in the order in which they are shown.
REGISTRY: dict[str, ServiceRow] = {row.name: row for row in (LOOKOUTVISION, REKOGNITION, PERSONALIZE)}

__all__ = ["REGISTRY", "Place", "Price", "ServiceRow"]
