"""The exit codes of the command; `--help` and the documentation name the same."""

OK = 0
FAILED = 1
USAGE = 2
PARTIAL = 3
REFUSED = 4
INTERRUPTED = 130

EXPLAINED = (
    "Exit codes: 0 done; 1 failed; 2 wrong usage; 3 partial: a region or a service could not be asked; "
    "4 refused: nothing was stopped; 130 interrupted."
)
