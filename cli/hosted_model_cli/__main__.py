"""``python -m hosted_model_cli``, and the entry point of ``hosted-model``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; it ends the process with its exit code."""
    try:
        from .commands import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich", "cronsim"):
            raise
        sys.exit(f"error: {error.name} is missing: install cdk-hosted-model[cli]")
    app(prog_name="hosted-model")


if __name__ == "__main__":
    main()
