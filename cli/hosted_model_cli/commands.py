"""The commands and their options; what they do is in a module each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from . import exits, listing, models, output, showing, stopping, watching
from .asking import Where
from .aws import BotoCoreError, Cloud, ServiceError
from .regions import NoSuchRegionError
from .services import REGISTRY

app = typer.Typer(
    name="hosted-model",
    help=f"Hosted models of {' and '.join(row.title for row in REGISTRY.values())}: what runs, whose it is, "
    "what it costs.",
    epilog=exits.EXPLAINED,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: a pipe gets no boxes.
    rich_markup_mode=None,
)

Profile = Annotated[str | None, typer.Option(metavar="P", help="Profile of the shared AWS configuration.")]
Price = Annotated[
    float | None,
    typer.Option("--price-per-unit-hour", metavar="X", min=0, help="USD for an inference unit and hour."),
]
Arn = Annotated[str, typer.Argument(metavar="ARN", help="The model's ARN, as `ls --arn` shows it.")]


@app.command(epilog=exits.EXPLAINED)
def ls(
    region: Annotated[
        list[str] | None, typer.Option(metavar="R", help="A region; repeatable. Default: the session's.")
    ] = None,
    all_regions: Annotated[bool, typer.Option("--all-regions", help="Every enabled region.")] = False,
    service: Annotated[
        list[str] | None, typer.Option(metavar="S", help=f"{' or '.join(REGISTRY)}. Default: all.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also stopped models that a stack declares.")] = False,
    arn: Annotated[bool, typer.Option("--arn", help="Also each model's ARN.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON document.")] = False,
    price: Price = None,
    profile: Profile = None,
) -> None:
    """List what is awake, whose it is, what it costs.

    Every model of every service that runs, starts, stops, or failed to start; what no stack declares is
    marked with an exclamation mark. Reads only.
    """
    if region and all_regions:
        raise typer.BadParameter("--all-regions excludes --region")
    for one in service or ():
        if one not in REGISTRY:
            raise typer.BadParameter(f"--service is one of {', '.join(REGISTRY)}")
    where = Where(region or (), all_regions, service or ())
    _run(
        lambda: listing.ls(
            Cloud(profile),
            where,
            every=every,
            arns=arn,
            as_json=as_json,
            price=price,
        )
    )


@app.command(epilog=exits.EXPLAINED)
def show(arn: Arn, price: Price = None, profile: Profile = None) -> None:
    """Show one model, its past and its schedules.

    Status, units, owner, lease, the next scheduled start and stop, and the last log entries about it of the
    function that hosts it. Reads only.
    """
    target = _target(arn)
    _run(lambda: showing.show(Cloud(profile), target, price=price))


@app.command(epilog=exits.EXPLAINED)
def stop(
    arn: Arn,
    force: Annotated[bool, typer.Option("--force", help="Even if a stack declares it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long to wait.")] = 3600,
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
def watch(
    stack: Annotated[str, typer.Argument(metavar="STACK", help="Name or ARN of a stack.")],
    region: Annotated[
        str | None, typer.Option(metavar="R", help="The stack's region. Default: the session's.")
    ] = None,
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
