"""``make mutants``: deliberate breakages, each of which the suite must see.

Every mutant is a copy of a package with one thing broken, put in front of the real one. The quick suites
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
RUNTIME = "lambda/hosted_model_runtime"
SUITES = {
    "unit tests": ["unit/runtime"],
    "lifecycles": [
        "protocol/test_forged_events.py",
        "protocol/test_lifecycle.py",
        "protocol/test_hours.py",
        "protocol/test_moving.py",
    ],
    "histories": ["protocol/test_histories.py"],
    "kill points": ["protocol/test_kill_points.py"],
}
#: What holds the other packages, each by its own tests.
OTHER_SUITES = {
    "constructs/hosted_model": {
        "unit tests": [
            "unit/constructs/test_constructs_policy.py",
            "unit/constructs/test_constructs_stable_ids.py",
            "unit/constructs",
        ]
    },
    "cli/hosted_model_cli": {"unit tests": ["unit/cli/test_cli_owners.py", "unit/cli"]},
    "local/hosted_model_local": {"unit tests": ["unit/local/test_local_adjustments.py", "unit/local"]},
}
SECONDS = 600


@dataclass(frozen=True)
class Mutant:
    """One breakage: a text of a file of a package, the runtime by default, and what it becomes."""

    name: str
    file: str
    old: str
    new: str
    package: str = RUNTIME


MUTANTS = (
    Mutant(
        "the lease is not read again before a start",
        "invocation/leased_model.py",
        "        return View(seen=seen, took=True)\n",
        "        return View(seen, lease.owner_tags(self.task.claim, take.mark), took=True)\n",
    ),
    Mutant(
        "a start is not announced in the lease",
        "decisions/next_move.py",
        "            return Note(intent) if mark != intent else _start(task, mark)",
        "            return _start(task, mark)",
    ),
    Mutant(
        "a Delete trusts the status from before its lease",
        "invocation/leased_model.py",
        "        seen = view.seen if self.task.goal is moves.Goal.HOST else None\n",
        "        seen = view.seen\n",
    ),
    Mutant(
        "another stack's closing is taken for news",
        "decisions/lease.py",
        "    for later in (own_closing(tags, claim),",
        "    for later in (Closing.parse(tags.get(Tag.CLOSED)),",
    ),
    Mutant(
        "a stale read is believed",
        "decisions/next_move.py",
        "    return lease.is_behind(tags, progress.mark, task.claim)\n",
        "    return False\n",
    ),
    Mutant(
        "the token lacks the RequestId",
        "decisions/tokens.py",
        "return _digest(stack_id, logical_id, request_id, verb,",
        'return _digest(stack_id, logical_id, "", verb,',
    ),
    Mutant(
        "the token lacks the units",
        "decisions/tokens.py",
        "verb, model_arn, min_units, max_units)",
        "verb, model_arn)",
    ),
    Mutant(
        "another stack's event is acted on",
        "cloudformation/origin.py",
        '    if event["StackId"] != stack_id:\n',
        "    if False:\n",
    ),
    Mutant(
        "any bucket whose name begins well is answered",
        "cloudformation/origin.py",
        "    return port is None and host in {",
        "    return host.startswith(_BUCKET) or host in {",
    ),
    Mutant(
        "a random rule name",
        "cloudformation/crhelper_resource.py",
        "{os.environ[Env.RULE_PREFIX]}{event['RequestId']}",
        "{os.environ[Env.RULE_PREFIX]}{context.aws_request_id}",
    ),
    Mutant(
        "another physical ID on every answer",
        "invocation/driver.py",
        "        self._models = self._plan()\n",
        "        self._models = self._plan()\n        self.physical_id += str(clock.now())\n",
    ),
    Mutant(
        "no deadline",
        "decisions/request.py",
        "return self.expiry - DEADLINE_MARGIN",
        'return float("inf")',
    ),
    Mutant(
        "a refused stop is taken for a stop",
        "decisions/next_move.py",
        "    return progress.stop_refused and seen.phase is Phase.FAILED\n",
        "    return True\n",
    ),
    Mutant(
        "a refused start fails the request",
        "services/lookoutvision.py",
        '"ConflictException": Kind.CONFLICT',
        '"ConflictException": Kind.INVALID',
    ),
    Mutant(
        "the closing mark is ignored",
        "decisions/lease.py",
        "    if (own := own_closing(tags, claim)) and own.issued >= claim.request.issued:",
        "    if False:",
    ),
    Mutant(
        "a Delete leaves no closing mark where nobody owns the model",
        "decisions/next_move.py",
        "            return _close(task, progress, seen, view.tags, now)\n",
        "            return Finish(Done())\n",
    ),
    Mutant(
        "a Delete stops whatever its stack runs",
        "decisions/lease.py",
        "    if mark is None or mark.declared_as != claim.declared_as:\n",
        "    if mark is None:\n",
    ),
    Mutant(
        "an older request takes the lease from a newer one",
        "decisions/lease.py",
        "    if mark.issued > request.issued:\n",
        "    if False:\n",
    ),
    Mutant(
        "the model of a cancelled update is forgotten",
        "invocation/driver.py",
        "            models = [released] if request.is_overdue else [*models, released]\n",
        "            models = [released] if request.is_overdue else models\n",
    ),
    Mutant(
        "the rule stays when the answer goes out",
        "cloudformation/crhelper_resource.py",
        "        if not handed_over and (was_put",
        "        if False and (was_put",
    ),
    Mutant(
        "a successor does not remove the rule",
        "invocation/driver.py",
        "            self._relay.remove()\n        return False\n",
        "            pass\n        return False\n",
    ),
    Mutant(
        "nothing is handed over",
        "invocation/driver.py",
        "        if self._puts < len(HANDOVER_SECONDS) and remaining",
        "        if False and remaining",
    ),
    Mutant(
        "whatever runs is adopted",
        "decisions/lease.py",
        "    if phase in ACTIVE and not claim.request.adopts:",
        "    if False:",
    ),
    Mutant(
        "a verdict is not remembered",
        "decisions/next_move.py",
        "        return Stop()\n    return Note(mark.at(State.FAILED))\n",
        "        return Stop()\n    return Finish(failing.failed)\n",
    ),
    Mutant(
        "trouble while a verdict is noted swallows it",
        "invocation/leased_model.py",
        "                if not self._is_final(error):\n                    raise\n",
        "                if self.progress.failing is None:\n                    raise\n",
    ),
    Mutant(
        "a start that somebody else stopped is done again",
        "decisions/next_move.py",
        "    if progress.start is StartCall.ACCEPTED:\n        return True\n    if progress.mark is None:\n",
        "    if True:\n        return False\n    if progress.mark is None:\n",
    ),
    Mutant(
        "throttling is a failure",
        "services/lookoutvision.py",
        '"ThrottlingException": Kind.TRANSIENT',
        '"ThrottlingException": Kind.INVALID',
    ),
    Mutant(
        "a replaced model keeps its lease",
        "invocation/leased_model.py",
        "                self._service.untag(self._arn, Tag.OWNER)\n",
        "",
    ),
    Mutant(
        "an answer that was refused counts as sent",
        "cloudformation/answer.py",
        "        if 200 <= status < 300:",
        "        if True:",
    ),
    Mutant(
        "the event is logged",
        "cloudformation/crhelper_resource.py",
        '        logging.getLogger("crhelper").setLevel(logging.WARNING)\n',
        '        logging.getLogger("crhelper").setLevel(logging.WARNING)\n        logger.info("%s", event)\n',
    ),
    Mutant(
        "a late request is worked on",
        "invocation/driver.py",
        "        if self._clock.now() >= self.request.expiry or (self.request.is_overdue and not lets_go):\n",
        "        if False:\n",
    ),
    Mutant(
        "what is given up at the deadline runs on",
        "decisions/next_move.py",
        "    return seen.phase in (Phase.STARTING, Phase.RUNNING) and is_started(progress, seen)\n",
        "    return False\n",
    ),
    Mutant(
        "an update wakes a model that sleeps",
        "decisions/lease_hours.py",
        "        return hours.type == Scheduled.STOP and hours.state is not State.FAILED\n",
        "        return False\n",
    ),
    Mutant(
        "a schedule acts while a deploy is at work",
        "decisions/lease_hours.py",
        "    if not request.state.settled and still_awaited:\n",
        "    if False:\n",
    ),
    Mutant(
        "a schedule acts on a model whose hours were taken away",
        "decisions/lease_hours.py",
        "    if not request.has_hours:\n",
        "    if False:\n",
    ),
    Mutant(
        "a schedule goes on when a deploy has taken over",
        "decisions/lease.py",
        "        held = hours.under == request.request_id\n",
        "        held = True\n",
    ),
    Mutant(
        "a deploy trusts what it sees while a schedule is at work",
        "decisions/lease_hours.py",
        "    return hours is not None and hours.under == before.request_id and not hours.state.settled\n",
        "    return False\n",
    ),
    Mutant(
        "a scheduled start takes the units that its schedule carries",
        "decisions/next_move.py",
        "    return (Units.parse(mark.units) if mark and task.claim.request.scheduled else None) or units\n",
        "    return units\n",
    ),
    Mutant(
        "a scheduled start that fails is tried once",
        "contract.py",
        "    ATTEMPTS = 3\n",
        "    ATTEMPTS = 1\n",
    ),
    Mutant(
        "a try has the token of the one before",
        "decisions/next_move.py",
        """"Start" if mark.attempt == 1 else f"Start {mark.attempt}\"""",
        """"Start\"""",
    ),
    Mutant(
        "a swap wakes a model that sleeps",
        "decisions/next_move.py",
        "    return bool(progress.former_sleeps)\n",
        "    return False\n",
    ),
    Mutant(
        "a renamed construct is a stranger",
        "decisions/lease.py",
        "            return _judge_move(tags, claim)\n",
        "            return Verdict(Standing.FOREIGN, reason=_owned_by(tags))\n",
    ),
    Mutant(
        "a rename that is rolled back stops the model",
        "decisions/lease.py",
        "    return claim.request.issued - owner.issued < RETURN_WITHIN\n",
        "    return False\n",
    ),
    Mutant(
        "a model is given back to a construct that is gone",
        "decisions/lease.py",
        "    if former is None or former.mark.state is State.RELEASED:\n",
        "    if former is None:\n",
    ),
    Mutant(
        "a model is given back as the new construct left it",
        "decisions/next_move.py",
        "        wanted = replace(_with_units(task.wanted, units), may_resize=True)\n",
        "        pass\n",
    ),
    Mutant(
        "units that are being changed are reported as changed",
        "decisions/steps.py",
        "    if last and last.under_way and not goal.any_units:\n",
        "    if last and last.under_way and goal.any_units:\n",
    ),
    Mutant(
        "a change of units that failed before the request fails it",
        "decisions/steps.py",
        "        return resizing.since >= self.asked and self.wants(",
        "        return self.wants(",
    ),
    Mutant(
        "a change of units that failed is tried again for ever",
        "decisions/steps.py",
        "    if last is None or not goal.made(last):\n",
        "    if last is None or last.failed or not goal.made(last):\n",
    ),
    Mutant(
        "units that were declared while a model slept are forgotten",
        "decisions/next_move.py",
        "    if task.in_place and wanted.any_units:\n",
        "    if False:\n",
    ),
    Mutant(
        "without a fence a Delete does not wait for calls under way",
        "decisions/next_move.py",
        "    waits = returning or may_start or not task.fenced\n",
        "    waits = returning or may_start\n",
    ),
    Mutant(
        "without a fence a claim is trusted at once",
        "decisions/next_move.py",
        "    unfenced = Tag.STACK not in tags and not task.fenced\n",
        "    unfenced = False\n",
    ),
    Mutant(
        "a rename wakes a model that sleeps",
        "decisions/next_move.py",
        "    if had_it:\n        return lease_hours.is_asleep(tags)\n",
        "    if had_it and not moves:\n        return lease_hours.is_asleep(tags)\n",
    ),
    Mutant(
        "what a rename took over may not be resized",
        "decisions/next_move.py",
        "    wanted = replace(task.wanted, may_resize=True) if moved else task.wanted\n",
        "    wanted = task.wanted\n",
    ),
    Mutant(
        "a Delete does not wait for a Create that may be taking the model over",
        "decisions/next_move.py",
        "    return WriteTags(lease.released_tags(claim), Done(), wait=task.in_flight)\n",
        "    return WriteTags(lease.released_tags(claim), Done())\n",
    ),
    Mutant(
        "a Delete answers at once what another delivery of it has just given back",
        "decisions/next_move.py",
        "        until = progress.left + task.reads_behind\n",
        "        until = 0.0\n",
    ),
    Mutant(
        "what another delivery gave back is stopped by the one whose mark went over that",
        "decisions/next_move.py",
        "    return progress.former if lease.has_left(tags, claim) else lease.former_of(tags)\n",
        "    return lease.former_of(tags)\n",
    ),
    Mutant(
        "a Delete notes that its resource is gone long after CloudFormation gave it up",
        "decisions/next_move.py",
        "        case Standing.MOVED if not claim.request.is_overdue:\n",
        "        case Standing.MOVED:\n",
    ),
    Mutant(
        "what another delivery settled is answered before every read shows it",
        "decisions/next_move.py",
        "    return progress.took_part + task.reads_behind\n",
        "    return max(progress.read_since, progress.written) + task.reads_behind\n",
    ),
    Mutant(
        "a second delivery gives a model back while what the first one undoes may be at work",
        "decisions/next_move.py",
        "        if now < until and not progress.closed:\n",
        "        if False:\n",
    ),
    Mutant(
        "a Delete gives a model back before the former owner's Delete can show",
        "decisions/next_move.py",
        "        if now < until and not progress.closed:\n",
        "        if before is None and now < until:\n",
    ),
    Mutant(
        "a Delete notes that its resource is gone while its model comes back to it",
        "decisions/next_move.py",
        "        if owner and owner.state is State.RETURNING:\n",
        "        if owner and owner.state is State.RELEASED:\n",
    ),
    Mutant(
        "a Delete gives a model back to whom another Delete has closed it for",
        "decisions/lease.py",
        "    return theirs is not None and theirs.issued >= former.mark.issued\n",
        "    return False\n",
    ),
    Mutant(
        "an older closing of the former owner keeps a model from going back",
        "decisions/lease.py",
        "    return theirs is not None and theirs.issued >= former.mark.issued\n",
        "    return theirs is not None\n",
    ),
    Mutant(
        "a conflict of the closing is waited for from the first look on",
        "invocation/leased_model.py",
        "                and self._now() < self.progress.close_tried + self.task.reads_behind\n",
        "                and self._now() < self.progress.read_since + self.task.reads_behind\n",
    ),
    Mutant(
        "the second look mends at once what a later request may have done",
        "decisions/next_move.py",
        "    until = (progress.amiss or now) + task.reads_behind\n",
        "    until = now\n",
    ),
    Mutant(
        "since when a model is amiss is not remembered",
        "invocation/leased_model.py",
        "                    self._remember(amiss=since if move.amiss else 0.0)\n",
        "                    pass\n",
    ),
    Mutant(
        "a Delete forgets to whom it left the model",
        "invocation/leased_model.py",
        " if lease.owns(tags, claim) else lease.other_owner(tags, claim)\n",
        " if lease.owns(tags, claim) else None\n",
    ),
    Mutant(
        "a Delete forgets from whom it took the model",
        "invocation/leased_model.py",
        "            former=former or known.former,\n",
        "            former=former,\n",
    ),
    Mutant(
        "a Delete gives a model back to whom the policy does not permit it",
        "decisions/next_move.py",
        "    return 0.0 < progress.denied_since <= now - task.policy_behind\n",
        "    return False\n",
    ),
    Mutant(
        "a give-back that is refused for want of permission is not remembered",
        "invocation/leased_model.py",
        "                if error.kind is Kind.DENIED and isinstance(move, moves.Start | moves.Resize):\n",
        "                if False:\n",
    ),
    Mutant(
        "a Delete of a cancelled Create leaves another stack's model before its own mark must show",
        "decisions/next_move.py",
        "        case Standing.FOREIGN if _a_mark_may_follow(task, progress, now):\n",
        "        case Standing.FOREIGN if False:\n",
    ),
    Mutant(
        "after a rest it waits as one that has nothing to do",
        "invocation/leased_model.py",
        "            self.idle = False\n            self._remember(not_before=0.0)\n",
        "            self._remember(not_before=0.0)\n",
    ),
    Mutant(
        "a rest is over only at the next look",
        "invocation/driver.py",
        "        if rests := [model.rest for model in self._models if model.rest]:\n",
        "        if rests := []:\n",
    ),
    Mutant(
        "a Delete does not remember since when another delivery's note shows",
        "invocation/leased_model.py",
        "            left=known.left or (now if lease.has_left(tags, claim) else 0.0),\n",
        "            left=known.left,\n",
    ),
    Mutant(
        "a delivery stops again what another one has stopped and started, by a status from before that",
        "decisions/next_move.py",
        "    if theirs and now >= progress.took_part + task.status_behind:\n",
        "    if theirs:\n",
    ),
    Mutant(
        "a start that was announced fails by a status from before another delivery's start",
        "decisions/next_move.py",
        "    noted = progress.took_part if starts else 0.0\n",
        "    noted = progress.took_part if mark.state is State.STARTED else 0.0\n",
    ),
    Mutant(
        "a renamed construct believes a former owner's mark that does not fit its model",
        "decisions/next_move.py",
        "(before.state.settled and _fits(task, before, seen))\n",
        "before.state.settled\n",
    ),
    Mutant(
        "a Delete does not wait for the Create that it undoes where another stack has closed the model since",
        "decisions/next_move.py",
        "        may_follow = not progress.mark and _a_mark_may_follow(task, progress, now)\n",
        "        may_follow = False\n",
    ),
    Mutant(
        "a rollback does not wait for the update that may be taking a model over",
        "decisions/next_move.py",
        "    undoes = _undoes_cancelled(task)\n",
        "    undoes = claim.undoes_unanswered\n",
    ),
    Mutant(
        "whose start was refused does not wait for the delivery whose start was not",
        "invocation/leased_model.py",
        "        if shown and mark and mark.state is State.FAILED and shown.state is State.STARTED:\n",
        "        if False:\n",
    ),
    Mutant(
        "a Delete covers from whom the Create that it undoes has the model",
        "decisions/next_move.py",
        "task.reads_behind + (task.in_flight if undoes else 0.0)\n",
        "task.reads_behind\n",
    ),
    Mutant(
        "a memory of starts is believed blindly",
        "decisions/polling.py",
        "        from_here = self.last.seconds * (1.0 if self._is_proven else HALF)\n",
        "        from_here = self.last.seconds * 10.0\n",
    ),
    Mutant(
        "models that wait do not share the quota",
        "decisions/polling.py",
        "    pace = models / (QUOTA * SHARE) if waiting else 0.0\n",
        "    pace = 0.0\n",
    ),
    Mutant(
        "an execution leaves too early",
        "invocation/driver.py",
        "        return far > (FAR_SECONDS if self._relay.ticked else 2 * FAR_SECONDS)\n",
        "        return far > -60.0\n",
    ),
    Mutant(
        "an execution leaves before a tick has come",
        "invocation/driver.py",
        "            if self._relay.ticked and not self._put_early and self._relay.leave():\n",
        "            if self._put_rule():\n",
    ),
    Mutant(
        "the rule of a superseded request stays",
        "invocation/leased_model.py",
        "                self._supersede(before.request_id)\n",
        "                pass\n",
    ),
    Mutant(
        "what is remembered of starts has a place of its own",
        "decisions/marks.py",
        '        more = (hours, "1", last) if last else (hours,)\n',
        '        more = (hours, "1", "", last) if last else (hours,)\n',
    ),
    Mutant(
        "the permission to stop goes with the last model",
        "role_policy.py",
        "        for service in SERVICES:\n",
        "        for service in ():\n",
        "constructs/hosted_model",
    ),
    Mutant(
        "a provider's logical IDs follow its place",
        "stable_ids.py",
        "override_logical_id(",
        "node.add_metadata('was', ",
        "constructs/hosted_model",
    ),
    Mutant(
        "the local cloud takes another service token",
        "ministack_adjustments.py",
        '        if custom and old.get("ServiceToken") != new.get("ServiceToken"):\n',
        "        if False:\n",
        "local/hosted_model_local",
    ),
    Mutant(
        "what a stack could not delete counts as declared",
        "owners.py",
        '    if mine and mine.status in ("DELETE_FAILED", "DELETE_IN_PROGRESS"):\n',
        "    if mine:\n        return YES\n    if mine:\n",
        "cli/hosted_model_cli",
    ),
    Mutant(
        "what a deploy is making counts as undeclared",
        "owners.py",
        "    if stack.moving:\n",
        "    if False:\n",
        "cli/hosted_model_cli",
    ),
    # --- as late as AWS is ---
    Mutant(
        "somebody else's lease is believed at the first read",
        "decisions/next_move.py",
        "    return progress.took_part + task.reads_behind\n",
        "    return max(progress.written, progress.shown) + task.reads_behind\n",
    ),
    Mutant(
        "another stack's mark is believed before this request's own need show",
        "decisions/next_move.py",
        "    return progress.took_part + task.reads_behind\n",
        "    return progress.read_since + task.reads_behind\n",
    ),
    Mutant(
        "a rollback that comes too late leaves its update's model running",
        "cloudformation/events.py",
        '    lets_go = event["RequestType"] == "Delete" or old_model is not None\n',
        '    lets_go = event["RequestType"] == "Delete"\n',
    ),
    Mutant(
        "a rollback that comes too late hosts a model",
        "invocation/driver.py",
        "            models = [released] if request.is_overdue else [*models, released]\n",
        "            models = [*models, released]\n",
    ),
    Mutant(
        "a second delivery of a Delete takes a model that the first has let go of",
        "decisions/next_move.py",
        "    hosted = before.state is State.DONE and not returning and not lease_hours.is_asleep(tags)\n",
        "    hosted = False\n",
    ),
    Mutant(
        "a second delivery of a Delete leaves the mark that it wrote after the first had let go",
        "decisions/next_move.py",
        "        case Standing.RELEASED if mark and now < (until := progress.written + task.reads_behind):\n",
        "        case Standing.RELEASED if False and (until := now):\n",
    ),
    Mutant(
        "a late delivery notes on a later deploy's lease that its resource is gone",
        "decisions/next_move.py",
        "    later = owner is not None and owner.issued > claim.request.issued and (released or not mine)\n",
        "    later = False\n",
    ),
    Mutant(
        "a Delete that is out of time fails at what is not its own",
        "decisions/next_move.py",
        "        case Standing.HELD | Standing.FREE:\n            return Finish(failing.failed)\n",
        "        case _:\n            return Finish(failing.failed)\n",
    ),
    Mutant(
        "a Create starts a model though another stack's closing tag may cover its own Delete's",
        "decisions/next_move.py",
        "    return (progress.amiss or now) + 2 * task.in_flight\n",
        "    return 0.0\n",
    ),
    Mutant(
        "a claim is not held against those that could not see it",
        "decisions/next_move.py",
        "    return max(claims, _tells_between_stacks(task, progress))\n",
        "    return _tells_between_stacks(task, progress)\n",
    ),
    Mutant(
        "a model that was another stack's a minute ago is started at once",
        "decisions/next_move.py",
        "    return max(claims, _tells_between_stacks(task, progress))\n",
        "    return claims\n",
    ),
    Mutant(
        "without a fence a claim is held only as long as reads were seen to be behind",
        "decisions/next_move.py",
        "    lag = progress.lag if task.fenced else task.reads_behind\n",
        "    lag = progress.lag\n",
    ),
    Mutant(
        "what another stack has started is answered for before that stack's claim need show",
        "decisions/next_move.py",
        "        case steps.Start() | steps.Resize() | steps.Done() if now",
        "        case steps.Start() if now",
    ),
    Mutant(
        "units are changed before another stack's claim need show",
        "decisions/next_move.py",
        "        case steps.Start() | steps.Resize() | steps.Done() if now",
        "        case steps.Start() | steps.Done() if now",
    ),
    Mutant(
        "a Create fails at what its other delivery has started with units still to come",
        "decisions/next_move.py",
        "    return _begins(task) and mark.state is State.HELD and seen.phase is Phase.RUNNING\n",
        "    return False\n",
    ),
    Mutant(
        "how late reads are is not remembered",
        "invocation/leased_model.py",
        "            lag=max(known.lag, lag),\n",
        "",
    ),
    Mutant(
        "another delivery's mark shows that reads are up to date",
        "invocation/leased_model.py",
        "lease.own_mark(tags, claim) != known.mark\n",
        "lease.is_behind(tags, known.mark, claim)\n",
    ),
    Mutant(
        "a Delete stops what another stack has just started",
        "decisions/next_move.py",
        "    return progress.contested + 2 * task.in_flight if progress.contested else 0.0\n",
        "    return 0.0\n",
    ),
    Mutant(
        "a Delete believes at the first read that a running model is nobody's",
        "decisions/next_move.py",
        "        if _may_be_out_of_date(task, progress, now):\n",
        "        if False:\n",
    ),
    Mutant(
        "a status from before the model was down is believed",
        "decisions/next_move.py",
        "        case steps.Done() if now < (until := progress.seen_down + task.status_behind):\n",
        "        case steps.Done() if (until := 0.0):\n",
    ),
    Mutant(
        "when a model was down is not remembered",
        "invocation/leased_model.py",
        "                self._remember(seen_down=self._now())\n",
        "                pass\n",
    ),
    Mutant(
        "a second delivery within half a minute acts at once",
        "invocation/driver.py",
        "LATE_SECONDS = 5.0",
        "LATE_SECONDS = 30.0",
    ),
    Mutant(
        "a lease on an older version of `latest` that does not show yet is not waited for",
        "decisions/next_move.py",
        "    return progress.unfound and not first and _may_be_out_of_date(task, progress, now)\n",
        "    return False\n",
    ),
    Mutant(
        "after the wait `latest` is not looked for again",
        "invocation/leased_model.py",
        "        find = self._seen is None or (known.unfound and known.mark is None and not known.closed)\n",
        "        find = self._seen is None\n",
    ),
    Mutant(
        "a Delete that has closed a model leaves it to whom an older read shows",
        "decisions/next_move.py",
        "        case Standing.FOREIGN | Standing.MOVED if now < progress.written + task.reads_behind:\n",
        "        case Standing.FOREIGN if now < progress.written + task.reads_behind:\n",
    ),
    Mutant(
        "a closing tag counts as the note that the resource is gone",
        "decisions/next_move.py",
        "    if progress.left or progress.mark:\n",
        "    if progress.written:\n",
    ),
    Mutant(
        "an update that comes late resizes on older tags",
        "decisions/next_move.py",
        "    return isinstance(move, Take | Start | Stop | Resize | Close | WriteTags | LetGo)\n",
        "    return isinstance(move, Take | Start | Stop | Close | WriteTags | LetGo)\n",
    ),
    Mutant(
        "a schedule that has seen a later one acts on an older read",
        "invocation/leased_model.py",
        "            overtaken=known.overtaken or lease_hours.overtaken_by(tags, claim) is not None,\n",
        "",
    ),
    Mutant(
        "a rollback that comes after its time fails at what its other delivery has done",
        "decisions/next_move.py",
        "    if lease.has_let_go(view.tags, task.claim):\n",
        "    if not task and lease.has_let_go(view.tags, task.claim):\n",
    ),
    Mutant(
        "a rollback does not wait for its permission to stop a model",
        "invocation/driver.py",
        "        lets_go = model.task.goal is Goal.RELEASE and not model.progress.close_denied\n",
        '        lets_go = self.request.type == "Delete" and not model.progress.close_denied\n',
    ),
    Mutant(
        "a rollback gives a model back to whom the policy does not permit it",
        "decisions/next_move.py",
        "    return 0.0 < progress.denied_since <= now - task.policy_behind\n",
        '    deletes = task.claim.request.type == "Delete"\n'
        "    return deletes and 0.0 < progress.denied_since <= now - task.policy_behind\n",
    ),
    Mutant(
        "an event that comes late acts at once",
        "decisions/next_move.py",
        "    return task.came_late and not progress.written and _may_be_out_of_date(task, progress, now)\n",
        "    return False\n",
    ),
    Mutant(
        "a rename is answered before every read shows it",
        "decisions/next_move.py",
        "    if cleans_up and now < (until := _shows_own(task, progress)):\n",
        "    if cleans_up and now < (until := 0.0):\n",
    ),
    Mutant(
        "a model that is given back is answered at once",
        "decisions/next_move.py",
        "    return WriteTags(returned, Done(), wait=task.reads_behind)",
        "    return WriteTags(returned, Done())",
    ),
    Mutant(
        "a lease that was removed is not taken again for the rollback",
        "decisions/next_move.py",
        "    return WriteTags(lease.owner_tags(claim, mark.at(State.FAILED)), Failed(STRIPPED))",
        "    return Finish(Failed(STRIPPED))",
    ),
    Mutant(
        "a claim after the closing stays",
        "decisions/next_move.py",
        "    return LetGo(Superseded()) if unseen and mine else Finish(Superseded())\n",
        "    return Finish(Superseded())\n",
    ),
    Mutant(
        "a lost successor ends the invocation well",
        "invocation/driver.py",
        '        raise OutOfTimeError(f"no invocation has begun to go on with request ',
        '        return True\n        raise OutOfTimeError(f"',
    ),
    Mutant(
        "the last delivery fails like the others",
        "invocation/driver.py",
        "        return not self._relay.ticked and age >=",
        "        return False and age >=",
    ),
    Mutant(
        "the rule is put once",
        "invocation/driver.py",
        "HANDOVER_SECONDS = (150.0, 25.0)",
        "HANDOVER_SECONDS = (150.0,)",
    ),
    Mutant(
        "a policy has half a minute",
        "decisions/moves.py",
        "POLICY_BEHIND_SECONDS = 120.0",
        "POLICY_BEHIND_SECONDS = 30.0",
    ),
    Mutant(
        "a Delete does not wait for its permission",
        "invocation/driver.py",
        '        return float("inf") if lets_go else model.task.policy_behind\n',
        "        return model.task.policy_behind\n",
    ),
    Mutant(
        "a closing tag that meets a conflict is not written again",
        "invocation/leased_model.py",
        "            if passes or error.kind in (Kind.TRANSIENT, Kind.DENIED):\n",
        "            if error.kind in (Kind.TRANSIENT, Kind.DENIED):\n",
    ),
    Mutant(
        "what only tidies up keeps its rule",
        "invocation/driver.py",
        "            if (self._puts or self._put_early) and self._relay.remove():\n",
        "            if False:\n",
    ),
    Mutant(
        "a failure that was noted is not read again",
        "decisions/next_move.py",
        "    if noted and not progress.written:\n",
        "    if noted:\n",
    ),
    Mutant(
        "a refused Start is somebody else's at once",
        "decisions/next_move.py",
        "        case steps.Fail() if _start_may_be_ours(task, progress, now):\n",
        "        case steps.Fail() if False:\n",
    ),
    Mutant(
        "a Delete that closed a model does not wait for the Create that it overtook",
        "decisions/next_move.py",
        "    if before and not lease.is_in_flight(tags, before):\n",
        "    if before is None or not lease.is_in_flight(tags, before):\n",
    ),
    Mutant(
        "a Delete lets go while another delivery of what it took over from may still start the model",
        "decisions/next_move.py",
        "    if before and not lease.is_in_flight(tags, before):\n",
        "    if before and not lease_hours.is_at_work(tags, before):\n",
    ),
    Mutant(
        "a Delete does not wait for a Create that never answered",
        "decisions/next_move.py",
        "    return _undoes_cancelled(task) and now < until\n",
        "    return False\n",
    ),
    Mutant(
        "a mark of another delivery is expected in every read from the first on",
        "decisions/moves.py",
        "        return max(self.written, self.shown) or self.read_since\n",
        "        return self.written or self.read_since\n",
    ),
    Mutant(
        "an update that took over a model answers before every read shows that",
        "decisions/next_move.py",
        "    cleans_up = (had or came_back or progress.other_name) and not",
        '    had = had and task.claim.request.type == "Create"\n'
        "    cleans_up = (had or came_back or progress.other_name) and not",
    ),
    Mutant(
        "a rollback gives a model back that its former owner may have taken itself",
        "decisions/next_move.py",
        '    if (returning or lease.was_taken(tags)) and claim.request.type == "Update" and now < until:\n',
        "    if False:\n",
    ),
    Mutant(
        "a Delete fails because nobody can bring back what is being deleted",
        "decisions/next_move.py",
        "    if isinstance(step, steps.Fail) and seen.phase is not Phase.UNREADY:\n",
        "    if isinstance(step, steps.Fail):\n",
    ),
    Mutant(
        "an update does not see that the one before left no mark",
        "decisions/lease.py",
        "    return same and before.units != str(request.old_units)\n",
        "    return False\n",
    ),
    Mutant(
        "a Delete that comes after its ServiceTimeout is not heard",
        "cloudformation/events.py",
        '    lets_go = event["RequestType"] == "Delete" or old_model is not None\n',
        "    lets_go = old_model is not None\n",
    ),
    Mutant(
        "a renamed construct takes the model before it reads how its former request ended",
        "decisions/next_move.py",
        "    if moves and not told and _may_be_out_of_date(task, progress, now):\n",
        "    if False:\n",
    ),
    Mutant(
        "what is given back sleeps on, though a schedule has begun to start it",
        "decisions/next_move.py",
        "    if lease_hours.is_asleep({**tags, Tag.REQUEST: str(former.mark)}):\n",
        "    if former.mark.state.asleep:\n",
    ),
    Mutant(
        "a refused Start does not tell when another delivery was at work",
        "invocation/leased_model.py",
        "self._remember(start=StartCall.REFUSED, shown=self._now())",
        "self._remember(start=StartCall.REFUSED)",
    ),
    Mutant(
        "a rollback lets go of the model that it hosts under another name",
        "decisions/next_move.py",
        "    if view.hosted_too:\n",
        "    if False:\n",
    ),
    Mutant(
        "an update to another name of its model answers at once",
        "decisions/next_move.py",
        "    cleans_up = (had or came_back or progress.other_name) and",
        "    cleans_up = (had or came_back) and",
    ),
    Mutant(
        "a model of another account is waited for",
        "cloudformation/events.py",
        "    _check_place(model, stack_id)\n",
        "",
    ),
    Mutant(
        "what was refused is let go of",
        "cloudformation/events.py",
        "        old_service, old_model = None, None\n",
        "        pass\n",
    ),
    Mutant(
        "the version of a project made anew is absent at first",
        "services/rekognition.py",
        "        if was_known and not found:\n",
        "        if False:\n",
    ),
    Mutant(
        "a Delete that this code does not understand is done",
        "cloudformation/crhelper_resource.py",
        'event["RequestType"] == "Delete" and not _may_have_hosted(event)',
        'event["RequestType"] == "Delete"',
    ),
    Mutant(
        "a model is taken that has no room for all of the lease",
        "decisions/lease.py",
        "    if own + len(Tag.ALL) <= TAGS_MAX:\n",
        "    if own <= TAGS_MAX:\n",
    ),
    Mutant(
        "a Delete fails where its closing tag has no room",
        "invocation/leased_model.py",
        "            if error.kind not in (Kind.QUOTA, Kind.INVALID) or Tag.CLOSED not in take.more:\n",
        "            if error:\n",
    ),
    Mutant(
        "a start whose answer was lost is not noted when it shows",
        "decisions/next_move.py",
        "    if not (progress.start is StartCall.ACCEPTED or shows) or mark is None",
        "    if progress.start is not StartCall.ACCEPTED or mark is None",
    ),
    Mutant(
        "a second Stop has the first one's token",
        "invocation/leased_model.py",
        "            self._stops, self._stop_taken = self._stops + 1, 0.0\n",
        "            self._stop_taken = 0.0\n",
    ),
    Mutant(
        "a Stop that is repeated at once has another token",
        "invocation/leased_model.py",
        "        if 0.0 < self._stop_taken <= self._now() - self.task.status_behind:\n",
        "        if 0.0 < self._stop_taken <= self._now():\n",
    ),
    Mutant(
        "a model is given back to whom a Delete has closed it for",
        "decisions/lease.py",
        "    return [Tag.CLOSED, Tag.FORMER_LOGICAL_ID, Tag.FORMER_REQUEST]\n",
        "    return [Tag.CLOSED]\n",
    ),
    Mutant(
        "a superseded request takes back a mark that the Delete has seen",
        "decisions/next_move.py",
        "    unseen = progress.written >= closing.issued.timestamp() if progress.written else mine\n",
        "    unseen = mine\n",
    ),
    Mutant(
        "of two deliveries that ended differently, each believes what it reads first",
        "decisions/lease.py",
        "        return differ or shown.progress < written.progress\n",
        "        return shown.progress < written.progress\n",
    ),
    Mutant(
        "a rollback answers before the update that it undoes must have seen its mark",
        "decisions/next_move.py",
        "    if progress.crosses and (move := _second_look(task, progress, mark, seen, tags, now)):\n",
        "    if False:\n",
    ),
    Mutant(
        "a Delete closes again what its other delivery has let go of",
        "decisions/next_move.py",
        "    if (closing and closing.issued > claim.request.issued) or progress.mark:\n",
        "    if closing and closing.issued > claim.request.issued:\n",
    ),
    Mutant(
        "an update takes another's start for its own, whatever the units",
        "decisions/next_move.py",
        "        started = started and wanted.satisfied_by(seen.observed)\n",
        "        pass\n",
    ),
    Mutant(
        "who has ended fails because a later deploy gave the model to another resource",
        "decisions/next_move.py",
        "        case Standing.FOREIGN if mark and mark.state.settled and",
        "        case Standing.FOREIGN if False and",
    ),
    Mutant(
        "who lost the model to another stack blames a person",
        "decisions/next_move.py",
        "        case Standing.FOREIGN if mark and Tag.STACK not in view.tags and not verdict.closed:\n",
        "        case Standing.FOREIGN if mark and Tag.STACK not in view.tags:\n",
    ),
    Mutant(
        "a Create takes back what its own Delete has given back",
        "decisions/next_move.py",
        "    if not lease.owns(tags, task.claim) and shown.state.settled and not covered:\n",
        "    if False:\n",
    ),
    Mutant(
        "a Create goes on though its Delete has noted that the resource is gone",
        "decisions/lease.py",
        "        if is_gone(tags, claim):\n",
        "        if False:\n",
    ),
    Mutant(
        "the time in which a policy spreads is counted against another call",
        "invocation/driver.py",
        "trouble.denied.setdefault(error.call, now)",
        'trouble.denied.setdefault("", now)',
    ),
    Mutant(
        "a Delete closes what its second delivery has closed",
        "decisions/next_move.py",
        "        if not (progress.closed or lease.closed_by_stack(tags, task.claim)):\n",
        "        if not progress.closed:\n",
    ),
    Mutant(
        "a Delete notes over what a later request of its resource left",
        "decisions/lease.py",
        "        return Verdict(Standing.SUPERSEDED) if later else Verdict(Standing.MOVED, mark)\n",
        "        return Verdict(Standing.MOVED, mark)\n",
    ),
    Mutant(
        "a rollback takes what the resource had long ago for what its update does now",
        "decisions/next_move.py",
        "    if mine and not released and not undoes:\n",
        "    if mine and not released and not claim.undoes_unanswered:\n",
    ),
    Mutant(
        "a Delete does not wait for a second delivery that waits to see other claims",
        "decisions/next_move.py",
        "    return before.issued.timestamp() + 3 * task.reads_behind if progress.lag else 0.0\n",
        "    return 0.0\n",
    ),
    Mutant(
        "a Delete takes what the resource had long ago for what its Create does now",
        "decisions/next_move.py",
        "    if mine and not released and not undoes:\n",
        "    if mine and not released:\n",
    ),
    Mutant(
        "a Create gives up what a second delivery of an earlier request wrote over",
        "decisions/next_move.py",
        "    covered = progress.crosses or lease.was_taken(tags) or",
        "    covered = progress.crosses or",
    ),
    Mutant(
        "who took over from a request at work undoes what a schedule has done since",
        "decisions/next_move.py",
        "    if lease_hours.hours_of(tags) and not task.claim.request.scheduled:\n",
        "    if False:\n",
    ),
    Mutant(
        "a construct that is renamed again at once answers before the old name's Delete can see it",
        "decisions/lease.py",
        "    return claim.request.issued - mark.issued < timedelta(seconds=SERVICE_TIMEOUT_MAX)\n",
        "    return False\n",
    ),
    Mutant(
        "a schedule that finds nothing to do ends before it can see the one of the minute before",
        "decisions/next_move.py",
        "    if nothing_to_do and isinstance(step, nothing_to_do) "
        "and _may_be_out_of_date(task, progress, now):\n",
        "    if False:\n",
    ),
    Mutant(
        "a Delete that closed the model believes a read from before that",
        "decisions/next_move.py",
        "        case Standing.FOREIGN | Standing.MOVED if now < progress.written + task.reads_behind:\n",
        "        case Standing.MOVED if now < progress.written + task.reads_behind:\n",
    ),
    Mutant(
        "a rollback whose mark does not show yet leaves the model as it is",
        "decisions/next_move.py",
        "        case Standing.FOREIGN | Standing.MOVED if now < progress.written + task.reads_behind:\n",
        "        case Standing.FOREIGN | Standing.MOVED if not mark and (\n"
        "            now < progress.written + task.reads_behind\n        ):\n",
    ),
    Mutant(
        "a schedule leaves its mark over that of a later one",
        "decisions/next_move.py",
        " and later.state.settled:\n        # This one wrote over it",
        " and not later:\n        # This one wrote over it",
    ),
    Mutant(
        "a rollback gives up what an exchanged construct wrote over",
        "decisions/next_move.py",
        ' or task.claim.request.type != "Create"\n',
        "\n",
    ),
    Mutant(
        "a rollback does not wait for the cancelled update that may take a closed model",
        "decisions/next_move.py",
        '    return task.claim.undoes_unanswered or task.claim.request.type == "Update"\n',
        "    return task.claim.undoes_unanswered\n",
    ),
    Mutant(
        "a Delete does not wait for a Create that takes a model from a chain of renames",
        "decisions/next_move.py",
        "        return Pause(idle=True, until=until) if undoes and now < until else Finish(Done())\n",
        "        return Finish(Done())\n",
    ),
    Mutant(
        "another resource's Delete is taken for news",
        "decisions/lease.py",
        "    return former.mark if former and former.logical_id == claim.request.logical_id else None\n",
        "    return former.mark if former else None\n",
    ),
    Mutant(
        "a late second delivery of a Delete removes the tags of a later Create",
        "decisions/lease.py",
        "    if is_ours and mark.issued <= claim.request.issued:\n",
        "    if is_ours:\n",
    ),
    Mutant(
        "a rollback stops a model that another resource of its stack took and will take again",
        "decisions/lease.py",
        "    return logical_id is not None and logical_id == tags.get(Tag.LOGICAL_ID)\n",
        "    return False\n",
    ),
    Mutant(
        "an old status fails a start that was just accepted",
        "decisions/next_move.py",
        "        case steps.Fail() if _status_may_be_old(task, progress, mark, now):\n",
        "        case steps.Fail() if False:\n",
    ),
    Mutant(
        "a Delete believes a status from before the start that its lease tells of",
        "decisions/next_move.py",
        "        until = max(_shows_last_start(task, before, mark), ",
        "        until = max(0.0, ",
    ),
    Mutant(
        "a scheduled stop believes a status from before the start that its lease tells of",
        "decisions/next_move.py",
        "            until = _shows_last_start(task, progress.took_from, mark)\n",
        "            until = 0.0\n",
    ),
    Mutant(
        "a Delete that gives a model back believes a status from before its own start",
        "decisions/next_move.py",
        " and now < progress.started_at + task.status_behind:\n",
        " and False:\n",
    ),
    Mutant(
        "a Delete believes an old status beside an accepted start",
        "decisions/next_move.py",
        "(before.state.may_start or before.state is State.STARTED)\n",
        "before.state.may_start\n",
    ),
    Mutant(
        "a Delete leaves a model that a Create of its own may have started meanwhile",
        "decisions/next_move.py",
        "        until = progress.read_since + 2 * task.reads_behind\n",
        "        until = 0.0\n",
    ),
    Mutant(
        "a closing tag that a read still shows is removed again, though another stack's is there",
        "decisions/next_move.py",
        " and now >= progress.reopened + task.reads_behind\n",
        "\n",
    ),
    Mutant(
        "what an earlier Delete closes late stays closed",
        "decisions/next_move.py",
        "        case Standing.HELD if lease.closed_by_stack(view.tags, claim):\n",
        "        case Standing.HELD if False:\n",
    ),
    Mutant(
        "a Create that failed does not look whether another delivery hosts the model",
        "decisions/next_move.py",
        "    if _another_delivery_may_host_it(task, progress, failing, seen, now):\n",
        "    if False:\n",
    ),
)


def killed_by(mutant: Mutant) -> str | None:
    """Return the suite that turned red, or None when the mutant lives."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        package = TESTS.parent / mutant.package
        copy = Path(folder) / package.name
        shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
        file = copy / mutant.file
        text = file.read_text()
        if text.count(mutant.old) != 1:
            raise LookupError(f"{mutant.name}: {text.count(mutant.old)} places in {mutant.file}")
        file.write_text(text.replace(mutant.old, mutant.new))
        for suite, paths in OTHER_SUITES.get(mutant.package, SUITES).items():
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
