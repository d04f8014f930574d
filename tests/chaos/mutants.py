"""``make mutants``: deliberate breakages of the runtime, each of which the suite must see.

Every mutant is a copy of the runtime with one thing broken, put in front of the real one. The quick suites
run first: unit tests, CloudFormation's sequences, histories, kill points. What is known so far is written
after each. Exit code 0 when every mutant was killed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
RUNTIME = TESTS.parent / "lambda" / "hosted_model_runtime"
SUITES = {
    "unit tests": ["unit/runtime"],
    "lifecycles": ["protocol/test_lifecycle.py", "protocol/test_hours.py"],
    "histories": ["protocol/test_histories.py"],
    "kill points": ["protocol/test_kill_points.py"],
}
SECONDS = 600


@dataclass(frozen=True)
class Mutant:
    """One breakage: a text of a file of the runtime, and what it becomes."""

    name: str
    file: str
    old: str
    new: str


MUTANTS = (
    Mutant(
        "the lease is not read again before a start",
        "target.py",
        "        return self._read(seen)[1].standing is Standing.HELD\n",
        "        return True\n",
    ),
    Mutant(
        "the token lacks the RequestId",
        "tokens.py",
        "return _digest(stack_id, logical_id, request_id, verb,",
        'return _digest(stack_id, logical_id, "", verb,',
    ),
    Mutant(
        "the token lacks the units",
        "tokens.py",
        "verb, model_arn, min_units, max_units)",
        "verb, model_arn)",
    ),
    Mutant(
        "a random rule name",
        "resource.py",
        "{os.environ[Env.RULE_PREFIX]}{event['RequestId']}",
        "{os.environ[Env.RULE_PREFIX]}{context.aws_request_id}",
    ),
    Mutant(
        "another physical ID on every answer",
        "host.py",
        "        self._targets = self._plan()\n",
        "        self._targets = self._plan()\n        self.physical_id += str(watch.now())\n",
    ),
    Mutant(
        "no deadline",
        "request.py",
        "return self.issued.timestamp() + self.timeout - DEADLINE_MARGIN",
        'return float("inf")',
    ),
    Mutant(
        "a refused stop is taken for a stop",
        "target.py",
        "if error.kind is Kind.CONFLICT and seen.observed.phase is Phase.FAILED:",
        "if error.kind is Kind.CONFLICT:",
    ),
    Mutant(
        "a refused start fails the request",
        "services/lookoutvision.py",
        '"ConflictException": Kind.CONFLICT',
        '"ConflictException": Kind.INVALID',
    ),
    Mutant(
        "the closing mark is ignored",
        "lease.py",
        "    if closing and closing.resource == claim.resource and closing.issued >= claim.issued:",
        "    if False:",
    ),
    Mutant(
        "a Delete leaves no closing mark where nobody owns the model",
        "release.py",
        "return self._cycle() if self._close_unowned(seen, tags) else Settled(ok=True)",
        "return Settled(ok=True)",
    ),
    Mutant(
        "a Delete stops whatever runs",
        "lease.py",
        "    if not owns(tags, claim) or not declared_as(tags, claim.identity):",
        "    if False:",
    ),
    Mutant(
        "an older request takes the lease from a newer one",
        "lease.py",
        "    if mark.issued > claim.issued:",
        "    if False:",
    ),
    Mutant(
        "the model of a cancelled update is forgotten",
        "host.py",
        "return [hosting, *self._abandoned()]",
        "return [hosting]",
    ),
    Mutant(
        "the rule stays when the answer goes out",
        "resource.py",
        "        if self._may_have_rule():",
        "        if False:",
    ),
    Mutant(
        "a successor does not remove the rule",
        "resource.py",
        "            self.relay.remove()\n        return bool",
        "            pass\n        return bool",
    ),
    Mutant(
        "nothing is handed over",
        "host.py",
        "        if remaining <= HANDOVER_SECONDS and not self._handed_over:",
        "        if False:",
    ),
    Mutant(
        "whatever runs is adopted",
        "lease.py",
        "    if phase in RUNNING and not claim.adopt:",
        "    if False:",
    ),
    Mutant(
        "a verdict is not remembered",
        "hosting.py",
        "        self._write(seen, verdict.mark.at(State.FAILED))\n",
        "",
    ),
    Mutant(
        "a start that somebody else stopped is done again",
        "hosting.py",
        "        if self._accepted:\n            return True\n",
        "        return False\n",
    ),
    Mutant(
        "throttling is a failure",
        "services/lookoutvision.py",
        '"ThrottlingException": Kind.TRANSIENT',
        '"ThrottlingException": Kind.INVALID',
    ),
    Mutant(
        "a replaced model keeps its lease",
        "release.py",
        "        self.service.untag(seen.arn, Tag.OWNER)\n",
        "",
    ),
    Mutant(
        "an answer that was refused counts as sent",
        "answer.py",
        "        if 200 <= status < 300:",
        "        if True:",
    ),
    Mutant(
        "the event is logged",
        "resource.py",
        '        logging.getLogger("crhelper").setLevel(logging.WARNING)\n',
        '        logging.getLogger("crhelper").setLevel(logging.WARNING)\n        logger.info("%s", event)\n',
    ),
    Mutant(
        "a late request is worked on",
        "host.py",
        "        if self._watch.now() >= self.request.expiry:",
        "        if False:",
    ),
    Mutant(
        "an update wakes a model that sleeps",
        "lease.py",
        "        return hours.type == Scheduled.STOP and hours.state is not State.FAILED\n",
        "        return False\n",
    ),
    Mutant(
        "a schedule acts while a deploy is at work",
        "lease.py",
        "        or (not request.state.settled and at_work)\n",
        "",
    ),
    Mutant(
        "a schedule acts on a model whose hours were taken away",
        "lease.py",
        "        not request.has_hours\n        or ",
        "        ",
    ),
    Mutant(
        "a schedule goes on when a deploy has taken over",
        "lease.py",
        "        held = hours.under == request.request_id\n",
        "        held = True\n",
    ),
    Mutant(
        "a deploy trusts what it sees while a schedule is at work",
        "lease.py",
        "    return under or not before.state.settled\n",
        "    return not before.state.settled\n",
    ),
    Mutant(
        "a scheduled start takes the units that its schedule carries",
        "hosting.py",
        "(Units.parse(mark.units) if self.claim.scheduled else None) or self.units",
        "self.units",
    ),
    Mutant(
        "a scheduled start that fails is tried once",
        "contract.py",
        "    ATTEMPTS = 3\n",
        "    ATTEMPTS = 1\n",
    ),
    Mutant(
        "a try has the token of the one before",
        "hosting.py",
        """        verb = "Start" if mark.attempt == 1 else f"Start {mark.attempt}"\n""",
        """        verb = "Start"\n""",
    ),
    Mutant(
        "a swap wakes a model that sleeps",
        "hosting.py",
        "        return self._former is not None and self._former.is_asleep()\n",
        "        return False\n",
    ),
)


def killed_by(mutant: Mutant) -> str | None:
    """Return the suite that turned red, or None when the mutant lives."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / RUNTIME.name
        shutil.copytree(RUNTIME, copy, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / mutant.file
        text = file.read_text()
        if text.count(mutant.old) != 1:
            raise LookupError(f"{mutant.name}: {text.count(mutant.old)} places in {mutant.file}")
        file.write_text(text.replace(mutant.old, mutant.new))
        for suite, paths in SUITES.items():
            if _is_red(folder, paths):
                return suite
    return None


def _is_red(folder: str, paths: list[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *paths]
    environment = {**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            command, cwd=TESTS, env=environment, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        # A suite that does not come to its end is not green.
        return True
    if run.returncode not in (0, 1):
        raise RuntimeError(run.stdout.decode()[-2000:] + run.stderr.decode()[-2000:])
    return run.returncode == 1


def main() -> int:
    began = time.monotonic()
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or mutant.name in sys.argv[1:]]
    rows: list[dict[str, str | None]] = []
    killed = 0
    (TESTS.parent / "build").mkdir(exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tried = {pool.submit(killed_by, mutant): mutant for mutant in chosen}
        for done in as_completed(tried):
            mutant, suite = tried[done], done.result()
            print(f"{'killed by ' + suite if suite else 'ALIVE':24} {mutant.name}", flush=True)
            rows.append({"mutant": mutant.name, "killed_by": suite})
            killed += suite is not None
            summary = {
                "killed": killed,
                "tried": len(rows),
                "total": len(MUTANTS),
                "seconds": round(time.monotonic() - began),
                "rows": rows,
            }
            (TESTS.parent / "build" / "mutants.json").write_text(json.dumps(summary, indent=1))
    print(f"killed {killed} of {len(rows)}")
    return 0 if killed == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
