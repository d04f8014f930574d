"""Generated histories of apps: people edit a CDK app and deploy it, through its real templates.

A Hypothesis state machine. What is drawn are edits of an app of two stacks and what befalls their deploys;
the templates are those of the constructs, applied as CloudFormation applies them, with the policies that are
in force at each moment. After deploys and at the end, when everything still on its way has arrived, every
promise is checked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chaos import record
from chaos.histories import DELIVERIES, GONE, LATENESS, MOMENT
from chaos.record import COUNTED
from chaos.trouble import PEOPLE, TROUBLE, Wrong, fence, put_model
from support.app_promises import AppPromises
from support.apps import MEMORY, MOST, PROVIDERS, Declared, Path, StackOfApp, filled
from support.cases import CASES
from support.cloudformation import Script, play
from support.invariants import Logs
from support.lateness import KINDS
from support.template_stack import Fate, TemplateStack
from support.world import World

NAMES = ("One", "Two")
#: Each version is of one service, so that its name tells which: 1 to 3 of the first, 4 to 6 of the second.
VERSIONS = {
    service: tuple(str(3 * number + one) for one in (1, 2, 3)) for number, service in enumerate(sorted(CASES))
}
MODELS = [(service, version) for service in VERSIONS for version in VERSIONS[service]]
PATHS: list[Path] = [("A",), ("B",), ("C",), ("Site", "A"), ("Site", "B")]
#: What is not deployed any more; a deploy makes it anew.
UNDEPLOYED = ("NONE", *GONE)
STUCK = ("ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED")
EDITS = (
    "add",
    "add",
    "remove",
    "swap",
    "resize",
    "another_class",
    "rename",
    "rename",
    "move_between_stacks",
    "exchange",
    "provider",
    "hours",
    "removal_policy",
    "on_running",
)
FATES = ("well", "well", "well", "neighbour_fails", "cancelled")
App = dict[str, StackOfApp]


class AppHistories(RuleBasedStateMachine):
    """One history of one app, over all services."""

    @initialize(
        data=st.data(),
        seed=st.integers(0, 2**16),
        start=st.sampled_from([4, 4, 12, 12, 80]),
        stop=st.sampled_from([2, 10]),
        function=st.sampled_from([400.0, 900.0]),
        stop_while_starting=st.booleans(),
        lateness=st.sampled_from(LATENESS),
    )
    def begin(
        self,
        data: st.DataObject,
        seed: int,
        start: int,
        stop: int,
        function: float,
        stop_while_starting: bool,
        lateness: str,
    ) -> None:
        COUNTED["histories"] += 1
        COUNTED["app_histories"] += 1
        self.logs = Logs()
        logging.getLogger().addHandler(self.logs)
        self.world = World(seed=seed, latency=0.2, function_seconds=function, lateness=KINDS[lateness])
        self.world.control("PUT", "quota", {"max_running_models": 12})
        for case in CASES.values():
            fence(self.world, case, seed % 2 == 0)
        for service, version in MODELS:
            put_model(
                self.world,
                CASES[service],
                version,
                status=CASES[service].stopped,
                start_seconds=start,
                stop_seconds=stop,
                stop_while_starting=stop_while_starting,
            )
        self.promises = AppPromises(self.world, self.logs)
        self.wrong = Wrong(self.world, self.promises)
        self.stacks: dict[str, TemplateStack] = {}
        for name in NAMES:
            self._new_stack(name)
        #: The app as its code is now, and the templates that CloudFormation last took.
        self.app: App = dict.fromkeys(NAMES, StackOfApp())
        for _ in range(data.draw(st.integers(1, 3), label="models")):
            self._add(data.draw)
        self._deploy(data, list(NAMES[: data.draw(st.integers(1, 2), label="stacks")]))

    def _new_stack(self, name: str) -> None:
        generation = str(sum(stack.name.startswith(name) for stack in self.promises.stacks) or "")
        self.stacks[name] = TemplateStack(self.world, name, generation)
        self.promises.stacks.append(self.stacks[name])

    # --- what people do to the app ----------------------------------------------------------------------

    @rule(data=st.data(), edits=st.lists(st.sampled_from(EDITS), min_size=1, max_size=3))
    def edit_and_deploy(self, data: st.DataObject, edits: list[str]) -> None:
        """Edit the code and deploy; who does not like what came of it reverts the code."""
        before = dict(self.app)
        for edit in edits:
            getattr(self, f"_{edit}")(data.draw)
        changed = [name for name in NAMES if self.app[name] != before[name]]
        if not changed:
            return
        self._deploy(data, changed)
        failed = any(not self._is_deployed(name) for name in changed)
        if failed and data.draw(st.booleans(), label="reverted"):
            self.app.update(before)
        self._maybe_settled(data)

    def _is_deployed(self, name: str) -> bool:
        return self.stacks[name].status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

    @rule(data=st.data())
    def deploy_again(self, data: st.DataObject) -> None:
        """Deploy the code as it is, all of it: what failed is tried again, a rollback that failed, too."""
        for stack in self.stacks.values():
            if stack.status == "UPDATE_ROLLBACK_FAILED":
                COUNTED["rollbacks_continued"] += 1
                play(self.world, stack.go_back())
        self._deploy(data, list(NAMES))
        self._maybe_settled(data)

    @precondition(lambda self: any(stack.status not in UNDEPLOYED for stack in self.stacks.values()))
    @rule(data=st.data(), deliveries=DELIVERIES)
    def destroy(self, data: st.DataObject, deliveries: int) -> None:
        names = [name for name in NAMES if self.stacks[name].status not in UNDEPLOYED]
        stack = self.stacks[data.draw(st.sampled_from(names), label="stack")]
        stack.fate = Fate(deliveries=deliveries)
        play(self.world, stack.destroy())
        self._maybe_settled(data)

    @precondition(lambda self: any(stack.schedules for stack in self.stacks.values()))
    @rule(data=st.data(), moment=MOMENT, late=st.booleans(), deliveries=DELIVERIES)
    def its_hours(self, data: st.DataObject, moment: float, late: bool, deliveries: int) -> None:
        """A schedule is due while whatever comes next is under way; a late delivery comes all the same."""
        due = [(stack, one) for stack in self.stacks.values() for one in stack.schedules]
        stack, schedule = due[data.draw(st.integers(0, len(due) - 1), label="schedule")]
        when, comes = stack.scheduled(schedule).next_due(self.world.now + moment)

        def fires() -> None:
            if late or schedule.logical_id in stack.resources:
                stack.fire(schedule, deliveries, when)

        self.world.at(comes, fires)

    @rule(wait=st.sampled_from([5.0, 60.0, 400.0]))
    def a_while(self, wait: float) -> None:
        self.world.run(seconds=wait)

    # --- edits ------------------------------------------------------------------------------------------

    def _places(self) -> list[tuple[str, Path]]:
        return [(name, path) for name in NAMES for path in sorted(self.app[name].models)]

    def _pick(self, draw: Any, found: list[Any], label: str) -> Any:
        return found[draw(st.integers(0, len(found) - 1), label=label)] if found else None

    def _set(self, name: str, path: Path, declared: Declared | None) -> None:
        models = {one: other for one, other in self.app[name].models.items() if one != path}
        if declared is not None:
            models[path] = declared
        self.app[name] = replace(self.app[name], models=models)

    def _free(self, name: str) -> list[tuple[str, str]]:
        """Return the models that a stack does not declare: it may declare each once."""
        taken = {(one.service, one.version) for one in self.app[name].models.values()}
        return [model for model in MODELS if model not in taken]

    def _add(self, draw: Any) -> None:
        name = draw(st.sampled_from(NAMES), label="stack")
        paths = [path for path in PATHS if path not in self.app[name].models]
        if len(self.app[name].models) < MOST:
            service, version = self._pick(draw, self._free(name), "model")
            made = Declared(service, draw(st.booleans(), label="hours"), version)
            self._set(name, self._pick(draw, paths, "path"), made)

    def _change(self, draw: Any, change: Callable[[str, Declared], Declared | None]) -> None:
        if place := self._pick(draw, self._places(), "construct"):
            name, path = place
            self._set(name, path, change(name, self.app[name].models[path]))

    def _remove(self, draw: Any) -> None:
        self._change(draw, lambda name, one: None)

    def _swap(self, draw: Any) -> None:
        def other(name: str, one: Declared) -> Declared:
            free = [version for service, version in self._free(name) if service == one.service]
            return replace(one, version=self._pick(draw, free, "version") or one.version)

        self._change(draw, other)

    def _another_class(self, draw: Any) -> None:
        """The same construct ID, another class."""

        def other(name: str, one: Declared) -> Declared:
            free = [model for model in self._free(name) if model[0] != one.service]
            service, version = self._pick(draw, free, "model")
            return replace(one, service=service, version=version)

        self._change(draw, other)

    def _resize(self, draw: Any) -> None:
        self._change(draw, lambda name, one: replace(one, units=3 - one.units))

    def _hours(self, draw: Any) -> None:
        self._change(draw, lambda name, one: replace(one, hours=not one.hours))

    def _removal_policy(self, draw: Any) -> None:
        self._change(draw, lambda name, one: replace(one, retain=not one.retain))

    def _on_running(self, draw: Any) -> None:
        self._change(draw, lambda name, one: replace(one, adopts=not one.adopts))

    def _rename(self, draw: Any) -> None:
        """The same model under another ID, or in another scope."""
        if place := self._pick(draw, self._places(), "construct"):
            name, path = place
            free = [one for one in PATHS if one not in self.app[name].models]
            declared = self.app[name].models[path]
            self._set(name, path, None)
            self._set(name, self._pick(draw, free, "path"), declared)

    def _move_between_stacks(self, draw: Any) -> None:
        if place := self._pick(draw, self._places(), "construct"):
            name, path = place
            other = NAMES[1 - NAMES.index(name)]
            declared = self.app[name].models[path]
            taken = self.app[other].models
            if (
                len(taken) < MOST
                and path not in taken
                and (declared.service, declared.version) in self._free(other)
            ):
                self._set(name, path, None)
                self._set(other, path, declared)

    def _exchange(self, draw: Any) -> None:
        """Two constructs of a stack exchange their names."""
        if place := self._pick(draw, self._places(), "construct"):
            name, path = place
            others = [one for one in sorted(self.app[name].models) if one != path]
            if other := self._pick(draw, others, "other"):
                one, two = self.app[name].models[path], self.app[name].models[other]
                self._set(name, path, two)
                self._set(name, other, one)

    def _provider(self, draw: Any) -> None:
        name = draw(st.sampled_from(NAMES), label="stack")
        form = draw(st.sampled_from(sorted(PROVIDERS)), label="provider")
        memory = MEMORY if form == "implicit" else draw(st.sampled_from([MEMORY, 512]), label="memory")
        self.app[name] = replace(self.app[name], provider=form, memory=memory)

    # --- deploying --------------------------------------------------------------------------------------

    def _deploy(self, data: st.DataObject, names: list[str]) -> None:
        """Deploy stacks, one after the other, or side by side; after a failure the rest waits."""
        names = [name for name in names if self.stacks[name].status not in STUCK]
        if len(names) > 1 and data.draw(st.booleans(), label="other way round"):
            names.reverse()
        scripts = [(name, self._script(data, name)) for name in names]
        if data.draw(st.booleans(), label="side by side"):
            play(self.world, *(script for _, script in scripts))
            return
        for name, script in scripts:
            play(self.world, script)
            if not self._is_deployed(name):
                return

    def _script(self, data: st.DataObject, name: str) -> Script:
        if self.stacks[name].status in UNDEPLOYED and self.stacks[name].status != "NONE":
            self._new_stack(name)
        fate = Fate(deliveries=data.draw(DELIVERIES, label="deliveries"))
        befalls = data.draw(st.sampled_from(FATES), label="fate")
        if befalls == "neighbour_fails":
            # Its value changes with every deploy that it fails, so that there is something to update.
            self.app[name] = replace(self.app[name], neighbour=self.app[name].neighbour + 1)
            fate.neighbour_fails = data.draw(MOMENT, label="neighbour fails after")
            fate.learns_failed_id = data.draw(st.booleans(), label="learns the failed ID")
        if befalls == "cancelled":
            fate.cancelled = data.draw(MOMENT, label="cancelled after")
        if befalls != "well":
            fate.rollback_fails = data.draw(st.sampled_from([False, False, True]), label="rollback fails")
        COUNTED["deploys"] += 1
        return self.stacks[name].deploy(filled(self.app[name]), fate)

    # --- what goes wrong --------------------------------------------------------------------------------

    @rule(data=st.data(), kind=st.sampled_from(TROUBLE), service=st.sampled_from(sorted(VERSIONS)))
    def trouble(self, data: st.DataObject, kind: str, service: str) -> None:
        COUNTED["faults"] += 1
        if kind == "hosting_fails":
            self.promises.failing.update(VERSIONS[service])
        self.wrong.strike(kind, data.draw, CASES[service], VERSIONS[service])

    @rule(model=st.sampled_from(MODELS), moment=MOMENT, kind=st.sampled_from(PEOPLE))
    def people(self, model: tuple[str, str], moment: float, kind: str) -> None:
        COUNTED["faults"] += 1
        self.wrong.people(kind, CASES[model[0]], model[1], moment)

    # --- the end ----------------------------------------------------------------------------------------

    def _maybe_settled(self, data: st.DataObject) -> None:
        """Wait, now and then, until nothing is on its way any more: then every promise holds."""
        if data.draw(st.booleans(), label="settled"):
            self._settled()

    def _settled(self) -> None:
        self.world.run()
        broken = self.promises.broken()
        assert not broken, "\n".join(broken)

    def teardown(self) -> None:
        if not hasattr(self, "app"):
            return
        logging.getLogger().removeHandler(self.logs)
        try:
            self.world.run()
            requests = sum(
                len(one.requests) for stack in self.promises.stacks for one in stack.hosted.values()
            )
            record.note(self.world, requests)
            self._settled()
        finally:
            self.world.discard()
