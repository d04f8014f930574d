"""The command ``hosted-model-local``: a cloud on this machine to try hosted models in.

eval "$(hosted-model-local up)"   start it, and point this shell's cdk, aws and boto3 at it
hosted-model-local status         models, EventBridge rules and functions
hosted-model-local down           end all of it
hosted-model-local demo           the whole life of a hosted model, with a cloud of its own

Exit codes: 0 done; 1 failed, or an expectation of the demo was not met; 2 wrong usage; 3 status: nothing is
up; 130 interrupted.
"""

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from hosted_model_local import cloud, environment, state

FAILED, USAGE, NOT_UP, INTERRUPTED = 1, 2, 3, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is in the module's docstring."""
    options = _parser().parse_args(argv)
    # An ordinary end of the process, so that context managers end what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except (OSError, RuntimeError, BotoCoreError, ClientError, HTTPError) as error:
        say(f"error: {error}")
        return FAILED
    return code


def say(line: str) -> None:
    """Progress goes to the error output: the standard output of `up` is for the shell."""
    print(line, file=sys.stderr, flush=True)


def up(options: argparse.Namespace) -> int:
    """Start in the background unless it is up; print what the shell is to evaluate."""
    folder: Path = options.state
    current = state.load(folder)
    if current and not current.is_up:
        say("cleaning up after a cloud that ended on its own")
        cloud.end(folder)
        current = None
    if current is None:
        regions = options.region or ["us-east-1"]
        made = cloud.LocalCloud(
            folder,
            region=regions[0],
            regions=regions,
            bootstrap=not options.no_bootstrap,
            requests_per_second=options.requests_per_second,
            say=say,
        )
        made.start()
        current = state.load(folder)
    if current is None:
        raise cloud.LocalCloudError(f"{folder} went away")
    say(f"up: ministack {current.ministack_url}, simulator {current.simulator_url}")
    print(exports(current.environment, os.environ))
    return 0


def exports(settings: dict[str, str], base: os._Environ[str] | dict[str, str]) -> str:
    """Shell lines that set ``settings`` and unset what would win over them."""
    lines = [f"unset {name}" for name in environment.REMOVED if name in base]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    return "\n".join(lines)


def show_status(options: argparse.Namespace) -> int:
    """Print the tables of the cloud; 3 if nothing is up."""
    current = state.load(options.state)
    if current is None or not current.is_up:
        say("nothing is up")
        return NOT_UP
    from hosted_model_local import status

    status.show(current)
    return 0


def down(options: argparse.Namespace) -> int:
    """End the cloud by its processes' IDs and remove its folder; nothing to end is a success."""
    current = state.load(options.state)
    left = cloud.end(options.state)
    if left:
        say(f"error: still running: {', '.join(str(one.pid) for one in left)}")
        return FAILED
    say("down")
    if current and os.environ.get("AWS_ENDPOINT_URL") == current.ministack_url:
        say("this shell still points at it: open a new one")
    return 0


def run_demo(options: argparse.Namespace) -> int:
    """Run the demo on a cloud of its own."""
    from hosted_model_local import demo

    return demo.run(options.service, app=options.app, start_seconds=options.start_seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hosted-model-local",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = _command(commands, "up", up, "start in the background, print exports for the shell")
    one.add_argument(
        "--region", action="append", help="region to bootstrap, repeatable; the first is the default one"
    )
    one.add_argument("--no-bootstrap", action="store_true", help="leave out `cdk bootstrap`")
    one.add_argument(
        "--requests-per-second", type=float, default=5.0, help="the services' quota for each API (default 5)"
    )
    _command(commands, "status", show_status, "show models, rules and functions; exit 3 if nothing is up")
    _command(commands, "down", down, "end all of it and remove its folder")
    one = _command(commands, "demo", run_demo, "deploy, resize, swap, fail and destroy a hosted model")
    one.add_argument("--service", choices=("lookoutvision", "rekognition"), default="lookoutvision")
    one.add_argument("--app", type=Path, default=None, help="folder of the CDK app (default: the sample app)")
    one.add_argument("--start-seconds", type=float, default=15.0, help="how long a model takes to start")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: object, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument(
        "--state",
        type=Path,
        default=state.default_folder(),
        help=f"folder of this cloud (default: ${state.STATE_VARIABLE}, else one per user)",
    )
    command.set_defaults(run=run)
    return command


if __name__ == "__main__":
    sys.exit(main())
