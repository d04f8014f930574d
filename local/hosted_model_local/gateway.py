"""The ASGI wrapper around ministack: our own paths first, everything else to ministack."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hosted_model_local import authorization

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]

AUTHORIZE_PATH = "/_hosted_model_local/authorize"
ACTIONS_PATH = "/_hosted_model_local/actions"
_ANSWER_PREFIX = "/_ministack/cfn-response/"
_MAX_BODY_BYTES = 16 * 1024 * 1024


class Gateway:
    """Answers ``/_hosted_model_local/…`` and passes the rest to ministack."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] == "http":
            if scope["path"] == AUTHORIZE_PATH:
                await self._authorize(scope, receive, send)
                return
            if scope["path"] == ACTIONS_PATH:
                await _answer(send, 200, {"actions": authorization.used_actions()})
                return
            if scope["path"].startswith(_ANSWER_PREFIX):
                # The query imitates S3's presigned URL; ministack knows the answer by its path and would
                # try to verify the signature.
                scope = {**scope, "query_string": b""}
        await self._application(scope, receive, send)

    async def _authorize(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await _answer(send, 405, {"message": f"{AUTHORIZE_PATH} takes POST"})
            return
        try:
            request = authorization.ForeignRequest.from_json(await _read(receive))
        except ValueError as error:
            await _answer(send, 400, {"message": str(error)})
            return
        # to_thread copies the context, so what ministack pins there ends with this request.
        verdict = await asyncio.to_thread(authorization.authorize, request)
        await _answer(send, 200, verdict.as_json())


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ValueError("the client went away before the body was complete")
        body += message.get("body", b"")
        if len(body) > _MAX_BODY_BYTES:
            raise ValueError(f"the body is over {_MAX_BODY_BYTES} bytes")
        if not message.get("more_body"):
            return bytes(body)


async def _answer(send: Send, status: int, document: object) -> None:
    body = json.dumps(document).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
