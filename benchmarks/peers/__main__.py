"""``python -m benchmarks.peers FOLDER STACK=DESIGN:MODELS …``: synthesise one app with these stacks.

A stack's models are versions 1 to MODELS of a project that is called as the stack.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from aws_cdk import App, Environment, Stack

from hosted_model_local.environment import ACCOUNT

from .code import ROOT
from .designs import DESIGNS

REGION = "us-east-1"


def main(arguments: Sequence[str]) -> None:
    """Write the cloud assembly."""
    folder, *stacks = arguments
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    flags = {name: value for name, value in context.items() if name.startswith("@aws-cdk/")}
    app = App(outdir=folder, context=flags)
    for one in stacks:
        name, _, what = one.partition("=")
        design, _, count = what.partition(":")
        stack = Stack(app, name, env=Environment(account=ACCOUNT, region=REGION))
        DESIGNS[design](stack, [(name, str(number)) for number in range(1, int(count) + 1)])
    app.synth()


if __name__ == "__main__":
    main(sys.argv[1:])
