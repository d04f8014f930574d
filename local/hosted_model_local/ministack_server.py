"""Serves ministack over TLS on loopback, with the few adjustments this project needs.

Run in a process of its own::

    python -m hosted_model_local.ministack_server --port 4566 --certfile c.pem --keyfile k.pem

ministack's own command also listens on 0.0.0.0, on 443 and on 8883. This launcher serves ministack's ASGI
application itself and binds ``127.0.0.1`` only.
"""

import argparse
import asyncio
import os
import signal
from pathlib import Path
from typing import Any

# ministack reads these when it is imported, so they are set before that. Everything that would open a
# second listener is off.
_FIXED_ENVIRONMENT = {
    "AUTH": "true",
    "USE_SSL": "1",
    "BIND_HOST": "127.0.0.1",
    "MINISTACK_HOST": "localhost",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "PERSIST_STATE": "0",
    "S3_PERSIST": "0",
    "LAMBDA_EXECUTOR": "local",
}
#: The setting of the hosted models' function for where this cloud takes answers.
_RESPONSE_HOST = "HOSTED_MODEL_LOCAL_RESPONSE_HOST"
#: And for how long it waits for what AWS may show late: here only what a test makes late is, by some seconds.
_PATIENCE = ("HOSTED_MODEL_LOCAL_PATIENCE", "0.1")
_KEEP_ALIVE_SECONDS = 75
_GRACEFUL_SECONDS = 1


def prepare_environment(port: int, certfile: Path, keyfile: Path) -> None:
    """Set in ``os.environ`` what ministack reads at import. Call it before anything imports ministack."""
    os.environ.update(_FIXED_ENVIRONMENT)
    os.environ["GATEWAY_PORT"] = str(port)
    # Functions inherit it: the hosted models' one answers CloudFormation's own buckets and nobody else.
    os.environ[_RESPONSE_HOST] = f"{_FIXED_ENVIRONMENT['MINISTACK_HOST']}:{port}"
    os.environ.setdefault(*_PATIENCE)
    os.environ["MINISTACK_SSL_CERT"] = str(certfile)
    os.environ["MINISTACK_SSL_KEY"] = str(keyfile)


async def serve(port: int, certfile: Path, keyfile: Path) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises
    ------
    RuntimeError
        ministack lacks something an adjustment needs: it is another version than the one pinned.
    """
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from ministack.app import app as ministack_app

    from hosted_model_local import ministack_adjustments
    from hosted_model_local.gateway import Gateway

    ministack_adjustments.apply_all()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.certfile = str(certfile)
    config.keyfile = str(keyfile)
    config.keep_alive_timeout = _KEEP_ALIVE_SECONDS
    config.graceful_timeout = _GRACEFUL_SECONDS
    config.loglevel = "WARNING"
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    application: Any = Gateway(ministack_app)
    await hypercorn_serve(application, config, shutdown_trigger=stopping.wait)


def main(argv: list[str] | None = None) -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m hosted_model_local.ministack_server", description=__doc__
    )
    parser.add_argument("--port", type=int, required=True, help="loopback port to serve HTTPS on")
    parser.add_argument("--certfile", type=Path, required=True, help="PEM certificate for localhost")
    parser.add_argument("--keyfile", type=Path, required=True, help="PEM private key of that certificate")
    options = parser.parse_args(argv)
    prepare_environment(options.port, options.certfile, options.keyfile)
    asyncio.run(serve(options.port, options.certfile, options.keyfile))
    # Function workers and their reader threads can hold the interpreter for minutes. The parent ends them
    # by process ID; this process must not wait for them.
    os._exit(0)


if __name__ == "__main__":
    main()
