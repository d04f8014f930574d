"""The command ``hosted-model-local``: a cloud on this machine to try hosted models in.

eval "$(hosted-model-local up)"     start it, and point this shell's cdk, aws and boto3 at it
hosted-model-local status           models, EventBridge rules, schedules and functions
eval "$(hosted-model-local down)"   end all of it, and give this shell back what it had
hosted-model-local demo             the whole life of a hosted model, with a cloud of its own

Exit codes: 0 done; 1 failed, or an expectation of the demo was not met; 2 wrong usage; 3 status: nothing is
up; 130 interrupted. An `up` that fails makes `eval` fail, too, and points the shell nowhere.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from hosted_model_local import environment, run_folder, shell
from hosted_model_local.demo_services import SERVICES

FAILED, USAGE, NOT_UP, INTERRUPTED = 1, 2, 3, 130
_REQUESTS_PER_SECOND = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is in the module's docstring."""
    given = list(sys.argv[1:] if argv is None else argv)
    # Whatever ends it, an `up` that failed must not leave the shell with the real account.
    refusing = given[:1] == ["up"] and not {"-h", "--help"} & set(given)
    try:
        code = _run(given)
        refusing = refusing and code != 0
    finally:
        if refusing and not sys.stdout.isatty():
            say(
                "this shell now points nowhere, so that nothing meets a real account; try `up` again, or "
                'give it back what it had: eval "$(hosted-model-local down)"'
            )
            print(shell.refuse(os.environ), flush=True)
    return code


def _run(given: Sequence[str]) -> int:
    options = _parser().parse_args(given)
    # An ordinary end of the process, so that context managers end what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except ImportError as error:
        say(f"error: {error}: it comes with the extra [local], in a checkout: pip install '.[local]'")
        return FAILED
    except (OSError, RuntimeError, BotoCoreError, ClientError, HTTPError) as error:
        say(f"error: {error}")
        return FAILED
    return code


def say(line: str) -> None:
    """Progress goes to the error output: the standard output of `up` and `down` is for the shell."""
    print(line, file=sys.stderr, flush=True)


def up(options: argparse.Namespace) -> int:
    """Start in the background unless it is up; print what the shell is to evaluate."""
    unknown = [name for name in options.region or [] if name not in _known_regions()]
    if unknown:
        say(f"error: --region {unknown[0]}: AWS has no region of this name, as far as botocore knows")
        return USAGE
    folder: Path = options.state
    current = run_folder.load(folder)
    if current and not current.is_up:
        say("cleaning up after a cloud that ended on its own")
        run_folder.end(folder)
        current = None
    # A shell that points at a cloud already: what it was before is what a cloud begins with.
    base = shell.before(os.environ)
    if current is None:
        current = _start(options, base)
    else:
        _say_what_is_not_taken(options, current)
    say(f"up: ministack {current.ministack_url}, simulator {current.simulator_url}")
    path = environment.search_path(
        base.get("PATH", os.defpath), folder / run_folder.TOOLS, active=environment.active_environment(base)
    )
    settings = environment.variables(
        base,
        endpoint=current.ministack_url,
        simulator=current.simulator_url,
        region=current.regions[0],
        bundle=folder.resolve() / run_folder.BUNDLE,
        path=path,
    )
    print(shell.point(settings, os.environ))
    return 0


def _start(options: argparse.Namespace, base: dict[str, str]) -> run_folder.CloudRun:
    from hosted_model_local import cloud

    regions = options.region or ["us-east-1"]
    rate = _REQUESTS_PER_SECOND if options.requests_per_second is None else options.requests_per_second
    cloud.LocalCloud(
        options.state,
        region=regions[0],
        regions=regions,
        bootstrap=not options.no_bootstrap,
        requests_per_second=rate,
        keep=True,
        base=base,
        say=say,
    ).start()
    current = run_folder.load(options.state)
    if current is None:
        raise cloud.LocalCloudError(f"{options.state} went away")
    return current


def _say_what_is_not_taken(options: argparse.Namespace, current: run_folder.CloudRun) -> None:
    """Name the options that differ from those of the cloud that runs."""
    asked = {
        "--region": (options.region, list(current.regions)),
        "--requests-per-second": (options.requests_per_second, current.requests_per_second),
        "--no-bootstrap": (options.no_bootstrap or None, not current.bootstrap),
    }
    for name, (wanted, has) in asked.items():
        if wanted is not None and wanted != has:
            said = ", ".join(has) if isinstance(has, list) else has
            say(f"not taken: {name}; this cloud runs already, with {said}: `down` first")


def _known_regions() -> set[str]:
    import botocore.session

    # A profile that is named in the environment has no say here, not even if there is none of that name.
    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("cloudformation", partition)
    }


def show_status(options: argparse.Namespace) -> int:
    """Print the tables of the cloud; 3 if nothing is up."""
    current = run_folder.load(options.state)
    if current is None or not current.is_up:
        say('No local cloud runs; eval "$(hosted-model-local up)" starts one.')
        return NOT_UP
    from hosted_model_local import status

    status.show(current, options.state / run_folder.BUNDLE)
    return 0


def down(options: argparse.Namespace) -> int:
    """End the cloud by process ID; print what the shell is to evaluate. Nothing to end is a success."""
    current = run_folder.load(options.state)
    left = run_folder.end(options.state)
    if left:
        say(f"error: still running: {', '.join(str(one.pid) for one in left)}")
        return FAILED
    say("down")
    pointed_elsewhere = current and os.environ.get("AWS_ENDPOINT_URL") not in (
        current.ministack_url,
        shell.NOWHERE,
    )
    if not shell.is_pointed(os.environ) or pointed_elsewhere:
        return 0
    if sys.stdout.isatty():
        say('this shell still points at it; give it back what it had: eval "$(hosted-model-local down)"')
    else:
        print(shell.restore(os.environ))
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
        "--requests-per-second", type=_rate, help="the services' quota for each API (default 5; 0: none)"
    )
    _command(
        commands,
        "status",
        show_status,
        "show what is there; exit 3 if nothing is up",
    )
    _command(commands, "down", down, "end all of it, print for the shell what gives back what it had")
    one = _command(commands, "demo", run_demo, "deploy, resize, swap, fail and destroy a hosted model")
    one.add_argument("--service", choices=tuple(SERVICES), default=next(iter(SERVICES)))
    one.add_argument("--app", type=Path, default=None, help="folder of the CDK app (default: the sample app)")
    one.add_argument("--start-seconds", type=float, default=15.0, help="how long a model takes to start")
    return parser


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: object, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument(
        "--state",
        type=Path,
        default=run_folder.default_folder(),
        help=f"folder of this cloud (default: ${run_folder.STATE_VARIABLE}, else one per user)",
    )
    command.set_defaults(run=run)
    return command


if __name__ == "__main__":
    sys.exit(main())
