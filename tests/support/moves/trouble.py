"""Rows of the table: reads that are behind, quiet time, failures."""

from __future__ import annotations

from dataclasses import replace

from hosted_model_runtime.contract import Metric, Tag
from hosted_model_runtime.decisions import lease
from hosted_model_runtime.decisions.ends import Done, Failed
from hosted_model_runtime.decisions.marks import State
from hosted_model_runtime.decisions.model import Units
from hosted_model_runtime.decisions.moves import (
    Close,
    Finish,
    Look,
    Note,
    Pause,
    ReadTags,
    Reopen,
    Resize,
    Retry,
    Start,
    Stop,
    WriteTags,
)
from hosted_model_runtime.decisions.next_move import STRIPPED
from support.moves.rows import (
    ABSENT,
    CLOSING,
    CREATE,
    CREATE_LATE,
    DELETE,
    DELETE_LATE,
    DONE,
    FAILED,
    HELD,
    IN_PLACE_LATE,
    INTENT,
    NOW_STAMP,
    OFF_TIME,
    ON_TIME,
    OWN_CLOSING,
    RELEASING,
    ROLLBACK,
    RUNNING,
    SILENCE,
    STARTED,
    STARTING,
    STOPPED,
    STOPPING,
    UNDOING,
    UNFENCED,
    UPDATE,
    Group,
    Row,
)
from support.moves.words import (
    DEPLOYED,
    FAILURE,
    HOSTED_AT,
    ISSUED,
    LATER,
    MOVED_LATER,
    NAME,
    NOBODY,
    NOT_LOOKED,
    NOTHING,
    NOW,
    OTHER_STACK,
    SECOND,
    THEIRS,
    UNREAD,
    Said,
    accepted,
    amiss,
    answers,
    before,
    claimed,
    closed,
    contested,
    earlier,
    failing,
    fails,
    first_read,
    formerly,
    hours,
    late,
    other,
    owned,
    quiet,
    rest,
    take,
)

CREATED_MEANWHILE = Said(
    "a Create's mark `starting-stopped`, and this request's closing mark", before(INTENT).value | CLOSING
)
CLOSED_BY_A_TWIN = Said(
    "its mark `started`, and an earlier Delete of this stack closed it",
    CREATE.tags(STARTED).value | closed("", -SECOND).value,
)
TWIN = CREATE.wrote(STARTED, 75).but("another delivery's mark shown 1 s ago", shown=NOW - 1)
OTHERS_ANSWER = answers(CREATE, "HOSTED")
ANOTHER_IS_GONE = formerly(
    other(earlier(DONE), "an earlier deploy"), earlier(State.RELEASED, issued=ISSUED + SECOND), "Third"
)
TAKEN_AT_ONCE = Said(
    "another stack took it in the same second",
    owned(CREATE.mark(INTENT, request_id="request-4"), stack=OTHER_STACK),
)
START = Start(Units(1), "Start")
CLOSED_BY_ANOTHER = Said(
    "its mark, closed by a later Delete of another stack",
    CREATE.tags(HELD).value | closed("", SECOND, stack=OTHER_STACK).value,
)
CLOSED_LATE = Said("a later Create's mark, closed by this very request", LATER.value | OWN_CLOSING.value)
MOVED_BEFORE = other(earlier(DONE), "it had it before")
MOVED_AT_ONCE = other(earlier(DONE, issued=ISSUED), "it took it in the same second")
JUST_CLOSED = NOTHING.but("closed it 74 s ago", closed=True, written=NOW - 74)
CLOSED_IT = NOTHING.but("closed it 164 s ago", closed=True, written=NOW - 164)
CLOSED_LONG_AGO = NOTHING.but("closed it 165 s ago", closed=True, written=NOW - 165)
BEHIND = Group(
    "Reads that are behind",
    "A read that shows less than this request wrote, and nobody later, is old: for 75 s it is read again.",
    (
        Row(CREATE, CREATE.wrote(STARTED, 74), RUNNING, NOBODY, Pause()),
        Row(
            CREATE, CREATE.wrote(STARTED, 75), RUNNING, NOBODY,
            WriteTags(owned(CREATE.mark(State.FAILED)), Failed(STRIPPED)),
        ),
        Row(CREATE, CREATE.wrote(STARTED, 75), STOPPED, NOBODY, fails(STRIPPED)),
        Row(CREATE, TWIN, STOPPED, NOBODY, Pause()),
        Row(CREATE, first_read(NOTHING, 74), RUNNING, NOBODY, rest(1)),
        Row(CREATE, first_read(NOTHING, 74), STOPPED, THEIRS, rest(1)),
        Row(CREATE, first_read(NOTHING, 74), STOPPED, NOBODY, take(CREATE.mark(INTENT))),
        Row(DELETE, first_read(NOTHING, 74), RUNNING, NOBODY, rest(1)),
        Row(UNDOING, first_read(NOTHING, 149), RUNNING, NOBODY, rest(1)),
        Row(UNDOING, first_read(NOTHING, 150), RUNNING, NOBODY, Finish(Done())),
        Row(DELETE, first_read(NOTHING, 74), STOPPED, THEIRS, rest(1)),
        Row(ON_TIME, first_read(NOTHING, 74), RUNNING, DEPLOYED, rest(1)),
        Row(ON_TIME, first_read(NOTHING, 75), RUNNING, DEPLOYED, take(ON_TIME.mark(HELD, HOSTED_AT))),
        Row(OFF_TIME, first_read(NOTHING, 74), STOPPED, DEPLOYED, rest(1)),
        Row(ON_TIME, first_read(NOTHING, 74), STOPPED, NOBODY, rest(1)),
        Row(ON_TIME, first_read(NOTHING, 75), STOPPED, NOBODY, SILENCE),
        Row(CREATE, CREATE.wrote(STARTED, 74), RUNNING, CREATE.tags(INTENT), Pause()),
        Row(
            CREATE, CREATE.wrote(STARTED, 75), RUNNING, CREATE.tags(INTENT),
            Note(CREATE.mark(DONE, NOW_STAMP)),
        ),
        Row(CREATE, CREATE.wrote(INTENT, 74), STOPPED, before(DONE), Pause()),
        Row(
            CREATE, CREATE.wrote(INTENT, 75), STOPPED, before(DONE), take(CREATE.mark(INTENT), earlier(DONE)),
        ),
        Row(CREATE, CREATE.wrote(INTENT), STOPPED, LATER, SILENCE),
        Row(CREATE, CREATE.wrote(HELD, 74), RUNNING, ANOTHER_IS_GONE, Pause()),
        Row(
            CREATE, CREATE.wrote(INTENT), STOPPED, closed("a later Delete of this resource", SECOND),
            rest(149, parting=True),
        ),
        Row(
            CREATE, CREATE.wrote(INTENT), STOPPED,
            closed("an earlier Delete of this stack", -SECOND), Pause(),
        ),
        Row(CREATE, CREATE.wrote(STARTED), RUNNING, CLOSED_BY_A_TWIN, Reopen()),
        Row(
            CREATE, CREATE.wrote(STARTED, 74), RUNNING,
            closed("a later Delete of another stack", SECOND, stack=OTHER_STACK), Pause(),
        ),
        Row(
            CREATE, CREATE.wrote(STARTED, 75), RUNNING,
            closed("a later Delete of another stack", SECOND, stack=OTHER_STACK),
            fails("another stack gave it up after this request was made; deploy again", Metric.FOREIGN),
        ),
        *(
            Row(asks, claimed(asks.wrote(INTENT), ago, lag), STOPPED, asks.tags(INTENT), move)
            for asks, ago, lag, move in (
                (CREATE, 134, 60, rest(1)), (CREATE, 135, 60, START), (CREATE, 1, 0, START),
                (UNFENCED, 164, 0, rest(1)), (UNFENCED, 165, 0, START),
            )
        ),
        Row(CREATE, contested(CREATE.wrote(INTENT), 179), STOPPED, CREATE.tags(INTENT), rest(1)),
        Row(CREATE, contested(CREATE.wrote(INTENT), 180), STOPPED, CREATE.tags(INTENT), START),
        Row(CREATE, claimed(CREATE.wrote(INTENT), 134, 60), RUNNING, CREATE.tags(INTENT), rest(1)),
        Row(CREATE, CREATE.wrote(HELD), STOPPED, CLOSED_BY_ANOTHER, replace(rest(180), amiss=True)),
        Row(CREATE, amiss(CREATE.wrote(HELD), 179), STOPPED, CLOSED_BY_ANOTHER, replace(rest(1), amiss=True)),
        Row(CREATE, amiss(CREATE.wrote(HELD), 180), STOPPED, CLOSED_BY_ANOTHER, Note(CREATE.mark(INTENT))),
        Row(
            CREATE, CREATE.wrote(HELD), RUNNING, CLOSED_BY_ANOTHER, Note(CREATE.mark(DONE, NOW_STAMP)),
        ),
        Row(CREATE, CREATE.wrote(STARTED, 74), RUNNING, TAKEN_AT_ONCE, rest(1)),
        Row(
            CREATE, CREATE.wrote(STARTED, 75), RUNNING, TAKEN_AT_ONCE,
            fails("owned by Model of stack", Metric.FOREIGN),
        ),
        Row(
            CREATE, CREATE.wrote(INTENT), STOPPED,
            formerly(MOVED_LATER, earlier(State.RELEASED, issued=ISSUED), NAME), SILENCE,
        ),
        Row(DELETE, DELETE.wrote(RELEASING, 74), RUNNING, before(DONE), Pause()),
        Row(DELETE, DELETE.wrote(RELEASING, 74), STOPPED, NOBODY, Pause()),
        Row(DELETE, DELETE.wrote(RELEASING, 75), STOPPED, NOBODY, Finish(Done())),
        Row(
            DELETE, DELETE.wrote(RELEASING, 75), RUNNING, before(DONE),
            take(DELETE.mark(RELEASING, HOSTED_AT), earlier(DONE), CLOSING),
        ),
        Row(DELETE, NOTHING.but("closed it", closed=True, written=NOW - 74), STOPPED, NOBODY, Pause()),
        Row(DELETE, NOTHING.but("closed it", closed=True, written=NOW - 74), STOPPED, THEIRS, Pause()),
        Row(
            DELETE, NOTHING.but("closed it 75 s ago", closed=True, written=NOW - 75), STOPPED, THEIRS,
            Finish(Done()),
        ),
        Row(
            DELETE, NOTHING.but("closed it 75 s ago", closed=True, written=NOW - 75), STOPPED, NOBODY,
            Finish(Done()),
        ),
        Row(
            DELETE, NOTHING.but("closed it", closed=True, written=NOW - 74), STOPPED, CREATED_MEANWHILE,
            rest(16),
        ),
        Row(DELETE, CLOSED_IT, STOPPED, OWN_CLOSING, Finish(Done())),
        Row(DELETE, CLOSED_IT, STOPPED, CLOSED_LATE, SILENCE),
        Row(DELETE, DELETE.wrote(RELEASING, 74), STOPPED, OWN_CLOSING, replace(rest(1), parting=Done())),
        Row(DELETE, DELETE.wrote(RELEASING, 75), STOPPED, OWN_CLOSING, Finish(Done())),
        Row(UNDOING, contested(CLOSED_IT, 179), RUNNING, CREATED_MEANWHILE, rest(1)),
        Row(UNDOING, contested(CLOSED_IT, 180), RUNNING, CREATED_MEANWHILE, Stop()),
        Row(DELETE, contested(NOTHING, 179), RUNNING, before(DONE), rest(1)),
        Row(
            DELETE, contested(NOTHING, 180), RUNNING, before(DONE),
            take(DELETE.mark(RELEASING, HOSTED_AT), earlier(DONE), CLOSING),
        ),
        Row(UNDOING, JUST_CLOSED, STOPPED, MOVED_BEFORE, Pause()),
        Row(ROLLBACK, ROLLBACK.wrote(RELEASING, 74), STOPPED, MOVED_AT_ONCE, Pause()),
        Row(ROLLBACK, ROLLBACK.wrote(RELEASING, 75), STOPPED, MOVED_AT_ONCE, Finish(Done())),
        Row(
            UNDOING, first_read(CLOSED_LONG_AGO, 165), STOPPED, MOVED_BEFORE,
            WriteTags(lease.released_tags(UNDOING.task.claim), Done(), wait=90),
        ),
        Row(UNDOING, CLOSED_IT, STOPPED, OWN_CLOSING, Pause(parting=Done())),
        Row(UNDOING, NOTHING, STOPPED, OWN_CLOSING, Finish(Done())),
        Row(UNDOING, first_read(NOTHING, 164), STOPPED, OWN_CLOSING, Pause(parting=Done())),
        Row(UNDOING, CLOSED_LONG_AGO, STOPPED, OWN_CLOSING, Finish(Done())),
        Row(ROLLBACK, CLOSED_IT, STOPPED, OWN_CLOSING, Pause(parting=Done())),
        Row(ROLLBACK, CLOSED_LONG_AGO, STOPPED, OWN_CLOSING, Finish(Done())),
    ),
)  # fmt: skip

CLOSED_BEHIND = closed("a later Delete of this resource", SECOND)
SINCE_CLOSED = Said(
    "its mark, and closed by a later Delete of this resource", CREATE.tags(INTENT).value | CLOSED_BEHIND.value
)
UNFOUND = NOTHING.but("no version of `latest` shows its lease", unfound=True)
OVERTAKEN = Group(
    "Events that come late",
    "Lambda may deliver an event late, or again. Until every read shows what was written before, it "
    "writes nothing that could take the model from a later owner; and what a Delete closed it gives up.",
    (
        Row(CREATE_LATE, first_read(NOTHING, 60), STOPPED, NOBODY, rest(15)),
        Row(CREATE_LATE, first_read(NOTHING, 60), STOPPED, CREATE_LATE.tags(INTENT), rest(15)),
        Row(CREATE_LATE, first_read(NOTHING, 60), STARTING, CREATE_LATE.tags(INTENT), Pause(idle=True)),
        Row(IN_PLACE_LATE, first_read(NOTHING, 60), RUNNING, IN_PLACE_LATE.tags(HELD), rest(15)),
        Row(IN_PLACE_LATE, first_read(NOTHING, 75), RUNNING, IN_PLACE_LATE.tags(HELD), Resize(Units(2))),
        Row(
            CREATE_LATE, first_read(NOTHING, 60), RUNNING, CREATE_LATE.tags(STARTED),
            Note(CREATE_LATE.mark(DONE, NOW_STAMP)),
        ),
        Row(DELETE_LATE, first_read(NOTHING, 60), RUNNING, before(DONE), rest(15)),
        *(
            Row(asks, first_read(UNFOUND, ago), STOPPED, NOBODY, move)
            for asks, ago, move in (
                (DELETE, 74, rest(1)), (DELETE, 75, Close(reopens=False)), (UPDATE, 74, rest(1)),
                (UPDATE, 75, take(UPDATE.mark(INTENT))), (CREATE, 74, take(CREATE.mark(INTENT))),
            )
        ),
        Row(DELETE_LATE, first_read(NOTHING, 60), STOPPED, DELETE_LATE.tags(RELEASING), rest(30)),
        Row(CREATE, CREATE.wrote(INTENT), STOPPED, SINCE_CLOSED, rest(149, parting=True)),
        Row(CREATE, CREATE.wrote(INTENT, 99), STOPPED, SINCE_CLOSED, rest(51, parting=True)),
        Row(CREATE, CREATE.wrote(INTENT, 100), STOPPED, SINCE_CLOSED, SILENCE),
        Row(CREATE, accepted(CREATE.wrote(INTENT)), STARTING, SINCE_CLOSED, SILENCE),
        Row(CREATE, first_read(NOTHING, 99), STOPPED, SINCE_CLOSED, rest(51, parting=True)),
    ),
)  # fmt: skip

QUIET = Group(
    "Quiet time",
    "A call of the request that was superseded may still land. Nothing is done until it would have.",
    (
        Row(CREATE, quiet(CREATE.wrote(HELD), 5), NOT_LOOKED, UNREAD, rest(5)),
        Row(CREATE, quiet(CREATE.wrote(HELD), 5), STOPPED, CREATE.tags(HELD), rest(5)),
        Row(CREATE, quiet(CREATE.wrote(HELD), 0), STARTING, UNREAD, ReadTags()),
        Row(CREATE, quiet(CREATE.wrote(HELD), 0), STOPPED, CREATE.tags(HELD), Note(CREATE.mark(INTENT))),
        Row(
            CREATE,
            CREATE.wrote(INTENT).but("took over from a deploy with hours", took_from=earlier(DONE)),
            STOPPED,
            Said(
                "its mark, and a schedule's `starting-stopped` beside it",
                CREATE.tags(INTENT).value | {Tag.HOURS: hours("Start", INTENT).value[Tag.HOURS]},
            ),
            Note(CREATE.mark(HELD), quiet=True),
        ),
    ),
)

LEFT_BY_A_TWIN = formerly(
    MOVED_LATER, UNDOING.mark(State.RELEASED), NAME, "gone, as another delivery of this request has noted"
)
NOTED, NOTED_LONG_AGO = CREATE.wrote(State.FAILED), CREATE.wrote(State.FAILED, 75)
NOTED_BEHIND = Said(
    "its failure, and closed by a later Delete of this resource",
    CREATE.tags(State.FAILED).value | CLOSED_BEHIND.value,
)
FAILURES = Group(
    "Failing",
    "A failure is noted before it is answered, so that a repeat of the request fails too. What keeps it from "
    "being noted is tried again for 60 s, or until the deadline for a scheduled start.",
    (
        Row(CREATE, failing(NOTHING), STOPPED, NOBODY, Finish(FAILURE)),
        Row(CREATE, failing(CREATE.wrote(INTENT)), NOT_LOOKED, UNREAD, Look()),
        Row(CREATE, failing(CREATE.wrote(INTENT)), STOPPED, UNREAD, ReadTags()),
        Row(
            CREATE, failing(CREATE.wrote(INTENT)), STOPPED, CREATE.tags(INTENT),
            Note(CREATE.mark(State.FAILED)),
        ),
        Row(CREATE, failing(NOTED), STOPPED, UNREAD, ReadTags()),
        Row(CREATE, failing(NOTED), STOPPED, CREATE.tags(INTENT), Pause()),
        Row(CREATE, failing(NOTED), STOPPED, CREATE.tags(State.FAILED), Finish(FAILURE)),
        Row(CREATE, failing(NOTED), RUNNING, CREATE.tags(State.FAILED), Pause()),
        Row(CREATE, failing(NOTED_LONG_AGO), RUNNING, CREATE.tags(State.FAILED), Finish(FAILURE)),
        Row(CREATE, failing(NOTED), RUNNING, CREATE.tags(DONE, hosted_at=HOSTED_AT), Pause()),
        Row(CREATE, failing(NOTED_LONG_AGO), RUNNING, CREATE.tags(DONE, hosted_at=HOSTED_AT), OTHERS_ANSWER),
        Row(CREATE, CREATE.wrote(DONE, hosted_at=HOSTED_AT), RUNNING, CREATE.tags(State.FAILED), Pause()),
        Row(
            CREATE, CREATE.wrote(DONE, 75), RUNNING, CREATE.tags(State.FAILED),
            Finish(Failed("was reported as failed before")),
        ),
        Row(CREATE, failing(NOTED), STOPPED, NOTED_BEHIND, rest(149, parting=True)),
        Row(CREATE, failing(CREATE.wrote(INTENT), 60), STOPPED, UNREAD, ReadTags()),
        Row(CREATE, failing(CREATE.wrote(INTENT), 61), STOPPED, UNREAD, Finish(FAILURE)),
        Row(CREATE, failing(CREATE.wrote(INTENT)), STOPPED, NOBODY, Pause()),
        Row(CREATE, failing(CREATE.wrote(INTENT, 75)), STOPPED, NOBODY, Finish(FAILURE)),
        Row(CREATE, failing(CREATE.wrote(INTENT)), ABSENT, UNREAD, Finish(FAILURE)),
        Row(CREATE, failing(CREATE.wrote(INTENT)), STOPPED, LATER, SILENCE),
        Row(
            CREATE, failing(CREATE.wrote(STARTED)), RUNNING, CREATE.tags(DONE, hosted_at=HOSTED_AT),
            answers(CREATE, "HOSTED"),
        ),
        Row(CREATE, late(CREATE.wrote(STARTED)), STARTING, CREATE.tags(STARTED), Stop()),
        Row(CREATE, late(CREATE.wrote(STARTED)), RUNNING, CREATE.tags(STARTED), Stop()),
        Row(
            CREATE, late(CREATE.wrote(STARTED)), STOPPING, CREATE.tags(STARTED),
            Note(CREATE.mark(State.FAILED)),
        ),
        Row(
            CREATE, late(CREATE.wrote(STARTED)).but("Stop refused", stop_refused=True), STARTING,
            CREATE.tags(STARTED), Note(CREATE.mark(State.FAILED)),
        ),
        Row(CREATE, late(CREATE.wrote(HELD)), STARTING, CREATE.tags(HELD), Note(CREATE.mark(State.FAILED))),
        Row(CREATE, late(NOTHING), STARTING, CREATE.tags(STARTED), Stop()),
        Row(CREATE, late(CREATE.wrote(STARTED)), RUNNING, LATER, SILENCE),
        Row(
            ON_TIME, failing(ON_TIME.wrote(STARTED)), FAILED, ON_TIME.tags(STARTED),
            Retry(ON_TIME.mark(HELD, attempt=2)),
        ),
        Row(
            ON_TIME, failing(ON_TIME.wrote(STARTED, attempt=3)).but("at the third attempt"), FAILED,
            ON_TIME.tags(STARTED, attempt=3), Note(ON_TIME.mark(State.FAILED, attempt=3)),
        ),
        Row(ON_TIME, failing(ON_TIME.wrote(STARTED), 61), FAILED, UNREAD, ReadTags()),
        Row(ON_TIME, late(ON_TIME.wrote(STARTED)), STARTING, ON_TIME.tags(STARTED), Stop()),
        Row(DELETE, failing(DELETE.wrote(RELEASING)), RUNNING, DELETE.tags(RELEASING), Finish(FAILURE)),
        *(
            Row(UNDOING, first_read(late(NOTHING), ago), RUNNING, tags, move)
            for ago, tags, move in (
                (75, UNREAD, ReadTags()), (75, THEIRS, Finish(Done())), (75, MOVED_LATER, Finish(Done())),
                (75, NOBODY, Finish(Done())), (75, LATER, SILENCE), (75, before(DONE), Finish(FAILURE)),
                (74, THEIRS, Finish(FAILURE)), (74, OWN_CLOSING, Finish(Done())),
                (74, LEFT_BY_A_TWIN, Finish(Done())),
            )
        ),
        Row(UNDOING, first_read(late(NOTHING), 75), NOT_LOOKED, UNREAD, Look()),
        Row(UNDOING, first_read(late(NOTHING), 75), ABSENT, UNREAD, Finish(Done())),
        Row(
            DELETE, failing(NOTHING.but("its closing mark was denied", close_denied=True)), STOPPED, NOBODY,
            Finish(Done()),
        ),
        Row(
            DELETE, failing(DELETE.wrote(RELEASING).but("a closing mark was denied", close_denied=True)),
            RUNNING, DELETE.tags(RELEASING), Finish(FAILURE),
        ),
    ),
)  # fmt: skip
