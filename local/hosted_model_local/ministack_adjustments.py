"""Where ministack 1.5.33 differs from AWS in a way that matters here, and how it is put right.

Each adjustment is one function that says what AWS does. `apply_all` fails, naming the attribute, when
ministack has not got what an adjustment replaces.
"""

import json
from collections.abc import Callable
from typing import Any

from hosted_model_local import authorization, custom_resources, schedules

_SCHEDULER_SWEEP_SECONDS = 1
_CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"


def apply_all() -> None:
    """Apply every adjustment, once, before ministack serves.

    Raises
    ------
    RuntimeError
        ministack lacks an attribute: it is another version than the one pinned.
    """
    for adjustment in (
        sweep_schedules_each_second,
        run_schedules_as_scheduler_does,
        invoke_custom_resources_asynchronously,
        delete_what_failed_to_create,
        delete_while_creating,
        keep_what_a_failed_deletion_needs,
        refuse_another_service_token,
        name_rules_as_iam_does,
        record_allowed_actions,
        keep_alarms_on_metric_math,
    ):
        adjustment()


def require(owner: Any, name: str) -> Any:
    """The attribute ``name`` of ``owner``, or a RuntimeError that names both."""
    found = getattr(owner, name, None)
    if found is None:
        module = getattr(owner, "__name__", owner)
        raise RuntimeError(f"ministack has no {module}.{name}: this launcher fits version 1.5.33")
    return found


def sweep_schedules_each_second() -> None:
    """EventBridge starts a ``rate()`` rule at its time; ministack looks every 10 s, which adds up to that."""
    from ministack.services import eventbridge

    require(eventbridge, "_SCHEDULER_TICK_INTERVAL")
    eventbridge._SCHEDULER_TICK_INTERVAL = _SCHEDULER_SWEEP_SECONDS


def run_schedules_as_scheduler_does() -> None:
    """A schedule is due in its own time zone, says when it was due, and invokes with its role.

    ministack reckons in UTC, sends the placeholder of the time as it stands, asks no role, and its
    CloudFormation drops the time zone.
    """
    from ministack.core import iam_evaluator
    from ministack.services import eventbridge, lambda_svc, scheduler
    from ministack.services.cloudformation import provisioners

    require(scheduler, "_SCHEDULE_TICK_INTERVAL")
    require(scheduler, "_tick_schedules")
    for owner, names in (
        (eventbridge, ("_parse_cron_fields", "_cron_next_fire")),
        (lambda_svc, ("invoke_async_with_retry", "_execution_record_for_config", "_get_func_record_for_ref")),
        (iam_evaluator, ("_gather_role_policies", "evaluate", "EvalContext")),
    ):
        for name in names:
            require(owner, name)
    scheduler._SCHEDULE_TICK_INTERVAL = _SCHEDULER_SWEEP_SECONDS
    scheduler._tick_schedules = schedules.tick
    handlers = require(provisioners, "_RESOURCE_HANDLERS")["AWS::Scheduler::Schedule"]
    for verb in ("create", "update"):
        handlers[verb] = schedules.keeping_the_zone(handlers[verb])


def invoke_custom_resources_asynchronously() -> None:
    """CloudFormation invokes the function as an event and waits for the answer at the ResponseURL alone.

    The invocation is at least once: Lambda retries it twice after an error ("Asynchronous invocation", AWS
    Lambda Developer Guide). ministack invokes once, and begins to wait when the function has returned.
    LAMBDA_ASYNC_RETRY_BASE_SECONDS sets the first delay (AWS: 60 s), the second is twice that.
    """
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import custom_resource

    require(custom_resource, "invoke_custom_resource")
    for name in ("register_token", "_response_url", "_normalise_resource_properties", "_pending", "_lock"):
        require(custom_resource, name)
    for name in ("invoke_async_with_retry", "_execution_record_for_config", "_get_func_record_for_ref"):
        require(lambda_svc, name)
    custom_resource.invoke_custom_resource = custom_resources.invoke


def delete_what_failed_to_create() -> None:
    """After CREATE_FAILED, CloudFormation sends Delete with the physical ID of the failed answer.

    ministack forgets the ID of a FAILED answer. Here the failed resource joins those that the rollback
    deletes; it is the last one made, so it is the first one deleted.
    """
    from ministack.services.cloudformation import stacks

    original = require(stacks, "_roll_back_operation")

    async def roll_back(name: str, stack_id: str, stack: Any, operation: Any, *rest: Any) -> None:
        if custom_resources.deletion_requested(stack_id):
            custom_resources.creation_ended(stack_id)
            return
        custom_resources.add_failed_create(stack_id, stack, operation)
        await original(name, stack_id, stack, operation, *rest)

    _replace_everywhere("_roll_back_operation", original, roll_back)


def delete_while_creating() -> None:
    """DeleteStack during CREATE_IN_PROGRESS ends the waiting and deletes what there is.

    An unanswered Create gets its Delete while it still runs, with a physical ID that CloudFormation invents,
    ``<stack>-<logical ID>-<suffix>``. ministack deletes what is finished and lets the create go on.
    """
    from ministack.services.cloudformation import stacks

    original = require(stacks, "_delete_stack_async")

    async def delete(name: str, stack_id: str, *rest: Any, **options: Any) -> None:
        async with custom_resources.creation_abandoned(name, stack_id):
            await original(name, stack_id, *rest, **options)

    _replace_everywhere("_delete_stack_async", original, delete)


def keep_what_a_failed_deletion_needs() -> None:
    """CloudFormation does not delete what a resource depends on that failed to delete.

    So a Delete can be tried again: the function and its role are still there. ministack deletes on.
    """
    from ministack.services.cloudformation import _stacks, stacks

    original = require(stacks, "_delete_stack_async")
    with_dependencies = require(stacks, "_with_dependencies")

    async def delete(name: str, stack_id: str, *rest: Any, **options: Any) -> None:
        stack = _stacks.get(name)
        if stack is None:
            await original(name, stack_id, *rest, **options)
            return
        definitions = (stack.get("_template") or {}).get("Resources", {})
        held = HeldResources(
            stack.get("_resources", {}), lambda failed, all_: with_dependencies(failed, definitions, all_)
        )
        stack["_resources"] = held
        try:
            await original(name, stack_id, *rest, **options)
        finally:
            stack["_resources"] = dict(held)

    _replace_everywhere("_delete_stack_async", original, delete)


class HeldResources(dict[str, Any]):
    """A stack's resources; while some are DELETE_FAILED in this deletion, `get` hides what those depend on.

    Parameters
    ----------
    resources
        By logical ID.
    with_dependencies
        Returns the logical IDs given and all that they depend on, of the set given.
    """

    def __init__(
        self,
        resources: dict[str, Any],
        with_dependencies: Callable[[list[str], set[str]], set[str]],
    ) -> None:
        super().__init__(resources)
        self._with_dependencies = with_dependencies
        for resource in self.values():
            if resource.get("ResourceStatus") == "DELETE_FAILED":
                # Of an earlier deletion; it is tried again.
                resource["ResourceStatus"] = "DELETE_IN_PROGRESS"

    def get(self, logical_id: str, default: Any = None) -> Any:
        """The resource, or ``default`` while something that failed to delete depends on it."""
        failed = [name for name, one in self.items() if one.get("ResourceStatus") == "DELETE_FAILED"]
        if logical_id not in failed and logical_id in self._with_dependencies(failed, set(self)):
            return default
        return super().get(logical_id, default)


def refuse_another_service_token() -> None:
    """An update may not give a custom resource another function: it fails with CloudFormation's words.

    The resource stays as it was, so the rollback sends it nothing. ministack invokes the new function.
    """
    from ministack.services.cloudformation import provisioners, stacks

    original: Callable[..., str | None] = require(provisioners, "_custom_named_replacement_error")
    require(stacks, "_custom_named_replacement_error")

    def refuse(
        resource_type: str, old: dict[str, Any], new: dict[str, Any], physical_id: str | None = None
    ) -> str | None:
        custom = resource_type.startswith("Custom::") or resource_type == _CUSTOM_RESOURCE
        if custom and old.get("ServiceToken") != new.get("ServiceToken"):
            return "Modifying service token is not allowed."
        return original(resource_type, old, new, physical_id)

    for module in (provisioners, stacks):
        module._custom_named_replacement_error = refuse


def name_rules_as_iam_does() -> None:
    """IAM knows a rule of the default event bus as ``rule/NAME``, one of another bus as ``rule/BUS/NAME``.

    Follows "Actions, resources, and condition keys for Amazon EventBridge", Service Authorization Reference.
    ministack names the default bus too, and knows no rule of what names it by the member ``Rule``.
    """
    from ministack.core import iam_actions

    original: Callable[..., str] = require(iam_actions, "extract_resource_arn")

    def extract(service: str, *request: Any) -> str:
        found = original(service, *request)
        if service != "events":
            return found
        _, _, _, body, _, region, account = request
        return rule_arn(body, region, account) or found.replace(":rule/default/", ":rule/")

    iam_actions.extract_resource_arn = extract


def rule_arn(body: bytes, region: str, account: str) -> str:
    """The ARN of what a request to EventBridge names by the member ``Rule``; empty without one."""
    try:
        document = json.loads(body)
        name, bus = document.get("Rule"), document.get("EventBusName") or "default"
    except (ValueError, AttributeError):
        return ""
    where = "" if bus == "default" else f"{bus}/"
    return f"arn:aws:events:{region}:{account}:rule/{where}{name}" if name else ""


def _replace_everywhere(name: str, original: object, replacement: object) -> None:
    """Modules that imported the function by name hold it too."""
    from ministack.services.cloudformation import changesets, handlers, stacks

    for module in (stacks, handlers, changesets):
        if getattr(module, name, None) is original:
            setattr(module, name, replacement)


def keep_alarms_on_metric_math() -> None:
    """An alarm on a metric math expression is made like any other; ministack refuses its template.

    Here it keeps INSUFFICIENT_DATA: nothing evaluates the expression.
    """
    from ministack.services.cloudformation import provisioners

    record = require(provisioners, "_cw_metric_alarm_record")

    def lenient(name: str, props: dict[str, Any]) -> Any:
        queries = props.get("Metrics")
        if not queries:
            return record(name, props)
        shown: dict[str, Any] = next((each for each in queries if each.get("Expression")), {})
        plain = {key: value for key, value in props.items() if key != "Metrics"}
        named = {"MetricName": str(shown.get("Expression", "")), "Namespace": "MetricMath"}
        return record(name, {**plain, **named})

    provisioners._cw_metric_alarm_record = lenient


def record_allowed_actions() -> None:
    """Keep which principal used which action, to compare what is used with what is granted."""
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id

    original: Callable[..., Any] = require(iam_evaluator, "enforce")

    def enforce(access_key_id: str, iam_action: str, *rest: Any, **options: Any) -> Any:
        refused = original(access_key_id, iam_action, *rest, **options)
        if refused is None and access_key_id:
            principal = iam_evaluator.resolve_principal(access_key_id, get_account_id())
            if getattr(principal, "policies", None) is not None:
                authorization.record_use(principal.arn, iam_action)
        return refused

    iam_evaluator.enforce = enforce
