"""Stages a peer's function: its handler, what the peers share, the service model, and crhelper if it is used.

Staged as ``hosted_model.asset`` stages ours: sources only, no compiled files, no type stubs, no metadata.
"""

from __future__ import annotations

import atexit
import importlib.util
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = Path(__file__).parent / "functions"
SERVICE_MODELS = ROOT / "lambda" / "hosted_model_runtime" / "data"


@cache
def stage(function: str) -> str:
    """Return a folder with the code of one of ``functions/``; made once a process, removed at its end."""
    folder = Path(mkdtemp(prefix="peer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for source in (FUNCTIONS / function, FUNCTIONS / "shared"):
        _copy(source, folder)
    _copy(SERVICE_MODELS, folder / "data")
    if function == "with_crhelper":
        spec = importlib.util.find_spec("crhelper")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("crhelper is not installed", name="crhelper")
        _copy(Path(spec.origin).parent, folder / "crhelper")
    return str(folder)


def _copy(source: Path, target: Path) -> None:
    for file in sorted(source.rglob("*")):
        if file.suffix in {".py", ".json"} and "__pycache__" not in file.parts:
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
