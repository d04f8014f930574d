"""What a model has cost so far."""

from __future__ import annotations

from datetime import datetime

from . import models, output, prices
from .survey import Entry


class Cost:
    """Hours and money of a model so far."""

    def __init__(self, entry: Entry, now: datetime, price: float | None) -> None:
        model = entry.model
        self.since = model.lease.hosted_at
        billed = model.seen.phase in models.BILLED
        self.hours = output.hours_between(self.since, now) if self.since and billed else None
        if price is None:
            price = prices.per_unit_hour(model.service, model.region)
        self.price = price
        self.units = (model.seen.min_units or 0) if billed else 0
        self.money = None if self.hours is None or price is None else self.hours * self.units * price
