"""``python -m hosted_model_local.simulator``: the simulator as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from .auth import HttpAuthorizer
from .core import Simulator
from .server import listen


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hosted_model_local.simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--authorize-url", help="asks this URL about every call; without it everything is allowed"
    )
    parser.add_argument("--ca-bundle", help="certificate authorities (PEM) for an HTTPS --authorize-url")
    parser.add_argument("--requests-per-second", type=float, default=5.0, help="quota of each API; 0 is none")
    return parser.parse_args(arguments)


async def _serve(options: argparse.Namespace) -> None:
    authorizer = HttpAuthorizer(options.authorize_url, options.ca_bundle) if options.authorize_url else None
    simulator = Simulator(authorizer=authorizer, requests_per_second=options.requests_per_second or None)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner, url = await listen(simulator, options.host, options.port)
    print(f"listening on {url}", flush=True)
    await ended.wait()
    await runner.cleanup()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT."""
    asyncio.run(_serve(_parse(arguments)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
