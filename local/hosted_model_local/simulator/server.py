"""The simulator on a TCP port, by aiohttp."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

from aiohttp import web

from .core import Simulator
from .http import Request

# Larger than the largest image that DetectAnomalies takes, so that its own limit answers.
MAX_BODY_BYTES = 16 * 1024 * 1024


def make_app(simulator: Simulator) -> web.Application:
    """An aiohttp application that passes every request on as it was sent."""

    async def handle(request: web.Request) -> web.StreamResponse:
        answer = await asyncio.to_thread(simulator.handle, await _plain(request))
        if answer.cut:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _plain(request: web.Request) -> Request:
    # raw_path is what the caller signed; rel_url has been decoded and encoded again.
    path, _, query = request.raw_path.partition("?")
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        name = name.lower()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return Request(request.method, path, query, headers, await request.read())


async def listen(simulator: Simulator, host: str, port: int) -> tuple[web.AppRunner, str]:
    """Open the port (0: any free one); the runner ends it, the second value is its URL."""
    runner = web.AppRunner(make_app(simulator), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner, f"http://{host}:{runner.addresses[0][1]}"


class ThreadedServer:
    """A simulator on a free loopback port for the length of a ``with`` block, in a thread of its own.

    Examples
    --------
    >>> with ThreadedServer(Simulator()) as server:  # doctest: +SKIP
    ...     print(server.url)
    """

    def __init__(self, simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.simulator = simulator
        self.url = ""
        self._host, self._port = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)

    def __enter__(self) -> ThreadedServer:
        self._thread.start()
        opening = asyncio.run_coroutine_threadsafe(listen(self.simulator, self._host, self._port), self._loop)
        try:
            self._runner, self.url = opening.result(timeout=10)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(timeout=10)
        finally:
            self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
