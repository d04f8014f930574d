"""The commands and their options; what they do is in a module each."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from . import (
    checking,
    estimating,
    exits,
    listing,
    models,
    output,
    regions,
    releasing,
    showing,
    stopping,
    waking,
    watching,
)
from .asking import Where
from .aws import BotoCoreError, Cloud, ServiceError
from .models import Depth
from .regions import NoSuchRegionError
from .services import REGISTRY

DISTRIBUTION = "cdk-hosted-model"

app = typer.Typer(
    name="hosted-model",
    help=f"Hosted models of {' and '.join(row.title for row in REGISTRY.values())}: what runs, whose it is, "
    "what it costs.",
    epilog=exits.EXPLAINED,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Plain help: a pipe gets no boxes.
    rich_markup_mode=None,
)

Profile = Annotated[str | None, typer.Option(metavar="P", help="Profile of the shared AWS configuration.")]
Price = Annotated[
    float | None,
    typer.Option("--price-per-unit-hour", metavar="X", min=0, help="USD for an inference unit and hour."),
]
Arn = Annotated[str, typer.Argument(metavar="ARN", help="The model's ARN, as `ls --arn` shows it.")]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="R", help="A region; repeatable. Default: the session's."),
]
AllRegions = Annotated[bool, typer.Option("--all-regions", help="Every enabled region.")]
Services = Annotated[
    list[str] | None,
    typer.Option("--service", metavar="S", help=f"{' or '.join(REGISTRY)}. Default: all."),
]
Region = Annotated[str | None, typer.Option(metavar="R", help="The stack's region. Default: the session's.")]
Json = Annotated[bool, typer.Option("--json", help="A JSON document.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to wait.")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"hosted-model {version(DISTRIBUTION)}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that no command is needed for."""


@app.command(epilog=exits.EXPLAINED)
def ls(
    region: Regions = None,
    all_regions: AllRegions = False,
    service: Services = None,
    every: Annotated[bool, typer.Option("--all", help="Also stopped models that no stack declares.")] = False,
    running: Annotated[
        bool, typer.Option("--running", help="No stopped models, which need a question each.")
    ] = False,
    arn: Annotated[bool, typer.Option("--arn", help="Each model's ARN, on a terminal too.")] = False,
    table: Annotated[
        bool, typer.Option("--table", help="A table in a pipe too, as wide as COLUMNS says.")
    ] = False,
    as_json: Json = False,
    price: Price = None,
    profile: Profile = None,
) -> None:
    """List what runs or should, whose it is, what it costs.

    Every model of every service that runs, starts, stops, or failed to start, and each that a stack declares;
    what is otherwise than declared is marked with an exclamation mark. Reads only.
    """
    if every and running:
        raise typer.BadParameter("--running excludes --all")
    where = _where(region, all_regions, service)
    depth = Depth.ALL if every else Depth.RUNNING if running else Depth.OWNED
    _run(
        lambda: listing.ls(
            Cloud(profile), where, depth=depth, arns=arn, as_table=table, as_json=as_json, price=price
        )
    )


@app.command(epilog=exits.EXPLAINED)
def check(
    stack: Annotated[
        list[str] | None, typer.Argument(metavar="[STACK]...", help="Names or ARNs. Default: every stack.")
    ] = None,
    region: Regions = None,
    all_regions: AllRegions = False,
    service: Services = None,
    as_json: Json = False,
    profile: Profile = None,
) -> None:
    """Say what is otherwise than declared, for CI and cron.

    Compares every hosted model of the stacks with the service: whether it runs or sleeps as it should, with
    the units that are declared; and finds what runs and no stack declares. Reads only.
    """
    where = _where(region, all_regions, service)
    _run(lambda: checking.check(Cloud(profile), where, stack or (), as_json=as_json))


@app.command(epilog=exits.EXPLAINED)
def show(arn: Arn, price: Price = None, profile: Profile = None) -> None:
    """Show one model, its past and its schedules.

    Status, units, owner, lease, the next scheduled start and stop, and the last log entries about it of the
    function that hosts it. Reads only.
    """
    target = _target(arn)
    _run(lambda: showing.show(Cloud(profile), target, price=price))


@app.command(epilog=exits.EXPLAINED)
def estimate(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[CDK_OUT]", help="A synthesised app, as cdk.out.")
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="A deployed stack instead: its name or ARN.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(metavar="R", help="Where the app does not say. Default: the session's.")
    ] = None,
    as_json: Json = False,
    price: Price = None,
    profile: Profile = None,
) -> None:
    """Say what an app costs a month, before it is deployed.

    Each model's inference units, its hours, and the money for its minimum and its maximum of units. Asks
    nobody about an app; reads the template of a stack.
    """
    if (folder is None) == (stack is None):
        raise typer.BadParameter("say either a folder, such as cdk.out, or --stack")
    if folder is not None:
        app_folder = folder
        _run(lambda: estimating.estimate_app(app_folder, region=region, price=price, as_json=as_json))
    _run(lambda: _estimate_stack(Cloud(profile), stack or "", region, price, as_json=as_json))


def _estimate_stack(
    cloud: Cloud, stack: str, region: str | None, price: float | None, *, as_json: bool
) -> int:
    there = regions.of_stack(cloud, stack, region)
    return estimating.estimate_stack(cloud, stack, region=there, price=price, as_json=as_json)


@app.command(epilog=exits.EXPLAINED)
def stop(
    arn: Arn,
    force: Annotated[bool, typer.Option("--force", help="Even if a stack declares it.")] = False,
    yes: Yes = False,
    timeout: Timeout = 3600,
    profile: Profile = None,
) -> None:
    """Stop a model that no stack declares.

    Asks first, stops, and waits until the model is stopped. Refuses a model that a stack declares, unless
    --force is given; then its lease stays as it is. Of a model that no stack declares, the lease's tags are
    removed.
    """
    target = _target(arn)
    _run(
        lambda: stopping.stop(
            Cloud(profile), target, force=force, yes=yes, timeout=timeout, confirm=typer.confirm
        )
    )


@app.command(epilog=exits.EXPLAINED)
def release(arn: Arn, yes: Yes = False, profile: Profile = None) -> None:
    """Remove the lease of a model that no stack declares.

    Then any stack can take it. Asks first; the model stays as it is, running or not. Refuses a model that a
    stack declares, or is deleting.
    """
    target = _target(arn)
    _run(lambda: releasing.release(Cloud(profile), target, yes=yes, confirm=typer.confirm))


@app.command(epilog=exits.EXPLAINED)
def wake(arn: Arn, timeout: Timeout = 3600, profile: Profile = None) -> None:
    """Start a declared model that sleeps by its hours.

    By the stack's own function, as a schedule of its hours would, and waits until the model runs. The next
    scheduled stop stops it. For a model with hosting hours only.
    """
    target = _target(arn)
    _run(lambda: waking.wake(Cloud(profile), target, timeout=timeout))


@app.command(epilog=exits.EXPLAINED)
def sleep(arn: Arn, timeout: Timeout = 3600, profile: Profile = None) -> None:
    """Stop a declared model until its next scheduled start.

    By the stack's own function, as a schedule of its hours would, and waits until the model is stopped. For a
    model with hosting hours only.
    """
    target = _target(arn)
    _run(lambda: waking.sleep(Cloud(profile), target, timeout=timeout))


@app.command(epilog=exits.EXPLAINED)
def watch(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name or ARN of a stack.")],
    region: Region = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for an operation to begin.")
    ] = 600,
    profile: Profile = None,
) -> None:
    """Show a stack's deploy live, until it ends.

    CloudFormation's events, and each model's status and how long it has had it. Waits for an operation when
    none runs. Exit code 0 when it ended well, 1 when it failed or rolled back. Reads only.
    """
    _run(lambda: watching.watch(Cloud(profile), stack, region=region, timeout=timeout))


def _where(region: list[str] | None, all_regions: bool, service: list[str] | None) -> Where:
    if region and all_regions:
        raise typer.BadParameter("--all-regions excludes --region")
    for one in service or ():
        if one not in REGISTRY:
            raise typer.BadParameter(f"--service is one of {', '.join(REGISTRY)}")
    return Where(region or (), all_regions, service or ())


def _target(arn: str) -> models.Target:
    try:
        return models.target(arn)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _run(command: Callable[[], int]) -> None:
    """End with the command's exit code; what AWS refuses is a line and not a traceback."""
    try:
        code = command()
    except KeyboardInterrupt:
        output.fail("interrupted")
        code = exits.INTERRUPTED
    except NoSuchRegionError as error:
        output.fail(str(error))
        code = exits.USAGE
    except (BotoCoreError, ServiceError) as error:
        output.fail(str(error))
        code = exits.FAILED
    raise typer.Exit(code)
