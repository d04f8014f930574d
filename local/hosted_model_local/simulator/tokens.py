"""The memory of ClientTokens."""

from __future__ import annotations

ACTIVE_SECONDS = 8 * 3600
_PRUNE_ABOVE = 4096

Scope = tuple[str, str, str, str]
Inputs = tuple[object, ...]


class TokenMismatch(Exception):  # noqa: N818 - not an error of ours: the caller's, named by the service
    """An active token came with other input parameters."""


class ClientTokens:
    """Which calls were completed, for 8 hours each (StartModel, Amazon Lookout for Vision API Reference).

    The scope of a token is account, region, operation and the token itself. It is active while less than
    28800 s have passed since the call that it completed.
    """

    __slots__ = ("_completed",)

    def __init__(self) -> None:
        self._completed: dict[Scope, tuple[float, Inputs]] = {}

    def is_repeat(self, scope: Scope, inputs: Inputs, now: float) -> bool:
        """Whether this very call was completed already.

        Raises
        ------
        TokenMismatch
            The token is active for other inputs.
        """
        remembered = self._completed.get(scope)
        if remembered is None or now >= remembered[0] + ACTIVE_SECONDS:
            return False
        if remembered[1] != inputs:
            raise TokenMismatch
        return True

    def remember(self, scope: Scope, inputs: Inputs, now: float) -> None:
        """Note a call that was completed."""
        if len(self._completed) > _PRUNE_ABOVE:
            self._prune(now)
        self._completed[scope] = (now, inputs)

    def _prune(self, now: float) -> None:
        active = {s: e for s, e in self._completed.items() if now < e[0] + ACTIVE_SECONDS}
        self._completed = active
