"""Jobs in processes of their own, one for each core: a world in virtual time uses one core."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable
from typing import Any


def _run(job: tuple[Callable[..., Any], tuple[Any, ...]]) -> Any:
    function, arguments = job
    return function(*arguments)


def spread(
    function: Callable[..., Any],
    jobs: Iterable[tuple[Any, ...]],
    progress: Callable[[str], None],
    what: str,
) -> list[Any]:
    """Return a function's result for each tuple of arguments, in their order."""
    from support.policy import template

    # Once, before the workers are forked: the CDK's own process does not survive a fork.
    template()
    wanted = [(function, tuple(arguments)) for arguments in jobs]
    found: list[Any] = []
    # A job each and in order: the first ones are the longest.
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for result in pool.imap(_run, wanted, chunksize=1):
            found.append(result)
            progress(f"{what}: {len(found)} of {len(wanted)}")
    return found
