"""The exit codes of the command; `--help` and the documentation name the same."""

OK = 0
FAILED = 1
USAGE = 2
PARTIAL = 3
REFUSED = 4
INTERRUPTED = 130

EXPLAINED = (
    "Exit codes: 0 done; 1 failed, or otherwise than declared; 2 wrong usage; 3 partial: a region or a "
    "service could not be asked, or a price is not known; 4 refused: nothing was changed; 130 interrupted."
)
