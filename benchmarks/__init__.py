"""Measures this project against its peers: ``make bench``; what it found is in docs/benchmarks.md."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The world in virtual time is the tests'.
if str(ROOT / "tests") not in sys.path:
    sys.path.insert(0, str(ROOT / "tests"))
