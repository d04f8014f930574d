"""Rows of the table: a Delete, and a construct that is renamed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hosted_model_runtime.contract import Metric, Tag
from hosted_model_runtime.decisions.ends import Done, Failed
from hosted_model_runtime.decisions.lease import RETURN_WITHIN, Former
from hosted_model_runtime.decisions.marks import Mark, State
from hosted_model_runtime.decisions.model import Units
from hosted_model_runtime.decisions.moves import (
    Close,
    Finish,
    LetGo,
    Look,
    Pause,
    ReadTags,
    Start,
    Stop,
    WriteTags,
)
from hosted_model_runtime.decisions.polling import LastStart
from support.moves.rows import (
    ASLEEP,
    CLOSING,
    CREATE,
    DELETE,
    DELETE_UNFENCED,
    DONE,
    FAILED,
    GONE,
    HELD,
    INTENT,
    NEW_WITH_HOURS,
    NOW_STAMP,
    ON_TIME,
    OWN_CLOSING,
    RELEASING,
    RESIZED,
    RETURNING,
    ROLLBACK,
    RUNNING,
    SILENCE,
    SLEEPING,
    STARTED,
    STARTING,
    STOPPED,
    STOPPING,
    UNDOING,
    UNREADY,
    UPDATE,
    Group,
    Row,
)
from support.moves.words import (
    ACTED,
    HOSTED_AT,
    HOUR,
    ISSUED,
    LATER,
    MOVED_LATER,
    NAME,
    NOBODY,
    NOTHING,
    NOW,
    OTHER,
    OTHER_STACK,
    SECOND,
    THEIRS,
    TOOK,
    UNREAD,
    Said,
    Who,
    accepted,
    answers,
    before,
    closed,
    earlier,
    fails,
    first_read,
    formerly,
    hosted_ago,
    hours,
    other,
    owned,
    quiet,
    reopened,
    rest,
    take,
)

AT_WORK = hours("Start", INTENT)
WAKING = Said(
    "its mark, and a schedule's `starting-stopped` beside it",
    DELETE.tags(RELEASING).value | {Tag.HOURS: AT_WORK.value[Tag.HOURS]},
)

BEGAN = earlier(State.FAILED).issued.timestamp()
TOOK_OVER = DELETE.wrote(RELEASING).but("took over", took_from=earlier(DONE))

CLOSES_FAILED = take(DELETE.mark(RELEASING), earlier(State.FAILED), CLOSING)
LETTING_GO = Group(
    "Letting go",
    "A Delete goes by the lease. It closes the model in the same write in which it takes it.",
    (
        Row(DELETE, NOTHING, RUNNING, UNREAD, ReadTags()),
        Row(
            DELETE, NOTHING, RUNNING, before(DONE),
            take(DELETE.mark(RELEASING, HOSTED_AT), earlier(DONE), CLOSING),
        ),
        Row(
            DELETE, NOTHING, STARTING, before(STARTED),
            take(DELETE.mark(RELEASING), earlier(STARTED), CLOSING),
        ),
        Row(
            DELETE_UNFENCED, NOTHING, STARTING, before(STARTED),
            take(DELETE_UNFENCED.mark(RELEASING), earlier(STARTED), CLOSING, in_flight=True),
        ),
        Row(
            DELETE_UNFENCED, NOTHING, RUNNING, before(DONE),
            take(DELETE_UNFENCED.mark(RELEASING, HOSTED_AT), earlier(DONE), CLOSING),
        ),
        Row(DELETE, first_read(NOTHING, 74), STOPPED, before(DONE), rest(1)),
        Row(DELETE, first_read(NOTHING, 74), STOPPED, before(State.FAILED), CLOSES_FAILED),
        Row(
            DELETE, first_read(NOTHING, 75), STOPPED, before(DONE),
            take(DELETE.mark(RELEASING, HOSTED_AT), earlier(DONE), CLOSING),
        ),
        Row(
            DELETE, NOTHING, STOPPED, before(INTENT),
            take(DELETE.mark(RELEASING), earlier(INTENT), CLOSING, in_flight=True),
        ),
        Row(
            DELETE, NOTHING, STOPPED, before(STARTED),
            take(DELETE.mark(RELEASING), earlier(STARTED), CLOSING, in_flight=True),
        ),
        Row(DELETE, DELETE.wrote(RELEASING), TOOK, UNREAD, Look()),
        Row(DELETE, DELETE.wrote(RELEASING), RUNNING, DELETE.tags(RELEASING), Stop()),
        Row(DELETE, DELETE.wrote(RELEASING), ACTED, UNREAD, Pause()),
        Row(DELETE, DELETE.wrote(RELEASING), STOPPING, UNREAD, Pause(idle=True)),
        Row(DELETE, TOOK_OVER, STOPPED, DELETE.tags(RELEASING), LetGo(Done())),
        Row(DELETE, TOOK_OVER, STOPPED, hosted_ago(DELETE, RELEASING, 14), rest(1)),
        Row(DELETE, TOOK_OVER, STOPPED, hosted_ago(DELETE, RELEASING, 15), LetGo(Done())),
        *(
            Row(
                DELETE,
                DELETE.wrote(RELEASING).but(
                    f"took over from what failed and had sent a Start {ago} s ago",
                    took_from=earlier(State.FAILED, last_start=LastStart(sent=int(NOW - BEGAN - ago))),
                ),
                STOPPED, DELETE.tags(RELEASING), move,
            )
            for ago, move in ((14, rest(1)), (15, LetGo(Done())))
        ),
        *(
            Row(
                DELETE,
                DELETE.wrote(RELEASING).but(
                    f"took over from a `done` that was asked for {ago} s ago, and reads were {lag} s behind",
                    took_from=earlier(DONE, issued=ISSUED + timedelta(seconds=100 - ago)), lag=lag,
                ),
                STOPPED, DELETE.tags(RELEASING), move,
            )
            for ago, lag, move in ((224, 10, rest(1)), (225, 10, LetGo(Done())), (101, 0, LetGo(Done())))
        ),
        Row(
            DELETE, DELETE.wrote(RELEASING, 89).but("took a `started`", took_from=earlier(STARTED)), STOPPED,
            DELETE.tags(RELEASING), rest(1),
        ),
        Row(DELETE, DELETE.wrote(RELEASING, 89), STOPPED, DELETE.tags(RELEASING), rest(1)),
        Row(DELETE, DELETE.wrote(RELEASING, 90), STOPPED, DELETE.tags(RELEASING), LetGo(Done())),
        Row(
            DELETE, DELETE.wrote(RELEASING, 89).but("took over", took_from=earlier(DONE)), STOPPED, WAKING,
            rest(1),
        ),
        Row(
            DELETE, DELETE.wrote(RELEASING, 90).but("took over", took_from=earlier(DONE)), STOPPED, WAKING,
            LetGo(Done()),
        ),
        Row(DELETE, DELETE.wrote(RELEASING), FAILED, DELETE.tags(RELEASING), Stop()),
        Row(
            DELETE, TOOK_OVER.but("Stop refused", stop_refused=True), FAILED,
            DELETE.tags(RELEASING), LetGo(Done()),
        ),
        Row(DELETE, NOTHING, STOPPED, OWN_CLOSING, Finish(Done())),
        Row(DELETE, NOTHING, RUNNING, LATER, SILENCE),
        Row(DELETE, NOTHING, RUNNING, THEIRS, Finish(Done())),
        *(
            Row(UNDOING, first_read(NOTHING, ago), RUNNING, THEIRS, move)
            for ago, move in ((74, rest(1)), (164, Pause(parting=Done())), (165, Finish(Done())))
        ),
        Row(
            DELETE, NOTHING, RUNNING,
            Said("declared under another name", before(DONE, declared_as="another").value), Finish(Done()),
        ),
        Row(DELETE, NOTHING, RUNNING, NOBODY, Finish(Done())),
        Row(DELETE, NOTHING, STOPPED, NOBODY, Close(reopens=False)),
        Row(
            DELETE, NOTHING, STOPPED, closed("an earlier Delete of this stack", -SECOND), Close(reopens=True),
        ),
        *(
            Row(
                UNDOING, first_read(NOTHING, ago), STOPPED,
                closed("a later Delete of another stack", SECOND, stack=OTHER_STACK), move,
            )
            for ago, move in ((164, Pause(parting=Done())), (165, Finish(Done())))
        ),
        Row(
            DELETE, reopened(NOTHING, 70), STOPPED, closed("an earlier Delete of this stack", -SECOND),
            Close(reopens=False),
        ),
        Row(DELETE, NOTHING, STOPPED, closed("a later Delete", SECOND, stack=OTHER_STACK), Finish(Done())),
    ),
)  # fmt: skip

# --- a construct is renamed: `Other` is the resource that it was, or that it has become ---------------------

DEPLOYED_THERE = other(earlier(DONE), "an earlier deploy")
GIVEN_UP = other(Mark(ISSUED, "Delete", "request-3", RELEASING, "0123456789ab"), "giving it up")
HAD_IT = CREATE.wrote(DONE, 76, hosted_at=HOSTED_AT)
HOSTED_TOO = Said("RUNNING, and hosted under another name", replace(RUNNING.value, hosted_too=True))
OTHERWISE_NAMED = {
    ago: UPDATE.wrote(DONE, ago, hosted_at=HOSTED_AT).but("had it under another physical ID", other_name=True)
    for ago in (74, 75)
}
LATELY = earlier(GONE, issued=ISSUED - SECOND)
STARTED_THERE = other(earlier(STARTED), "not known how its request ended")
MOVED_TO_OTHER = other(earlier(DONE), "it was renamed")
RENAMED = formerly(CREATE.tags(HELD), earlier(DONE, units="3"), OTHER)
WAS = {Tag.FORMER_LOGICAL_ID: OTHER, Tag.FORMER_REQUEST: str(earlier(DONE))}
OWN = Said("an earlier request's mark", owned(earlier(DONE)))
OWN_DONE = CREATE.tags(DONE, hosted_at=HOSTED_AT)
UPDATED = UPDATE.tags(DONE, hosted_at=HOSTED_AT)


def gone(request: Who) -> dict[str, str]:
    """What a resource leaves that another one of its stack took over from."""
    mark = replace(request.mark(GONE), units="")
    return {Tag.FORMER_LOGICAL_ID: NAME, Tag.FORMER_REQUEST: str(mark)}


def returned(mark: Mark) -> dict[str, str]:
    return {**gone(DELETE), Tag.LOGICAL_ID: OTHER, Tag.REQUEST: str(mark)}


def gives_back(mark: Mark) -> WriteTags:
    return WriteTags(returned(mark), Done(), wait=DELETE.task.reads_behind)


def undone(mark: Mark, words: str = "") -> Said:
    """The rename is rolled back: this Delete of the new name gives the lease back."""
    return formerly(DELETE.tags(RETURNING), mark, OTHER, words)


BACK = DELETE.wrote(RETURNING, 90)
JUST_ACCEPTED = accepted(BACK).but("14 s ago", started_at=NOW - 14)
WAKING = Said(
    "the same, and a schedule has begun to start it",
    undone(earlier(ASLEEP)).value | {Tag.HOURS: str(ON_TIME.mark(INTENT))},
)
MOVING = Group(
    "Moving house",
    f"`{NAME}` asks. `{OTHER}` is the logical ID that the construct had before it was renamed, or has now.",
    (
        Row(CREATE, NOTHING, RUNNING, DEPLOYED_THERE, take(CREATE.mark(HELD, HOSTED_AT), earlier(DONE), WAS)),
        Row(CREATE, NOTHING, RESIZED, DEPLOYED_THERE, take(CREATE.mark(HELD, HOSTED_AT), earlier(DONE), WAS)),
        Row(CREATE, CREATE.wrote(HELD), RESIZED, RENAMED, Stop()),
        Row(
            CREATE, CREATE.wrote(HELD), STOPPED,
            formerly(CREATE.tags(HELD), earlier(GONE, issued=ISSUED + SECOND), NAME, "its Delete let go"),
            SILENCE,
        ),
        Row(CREATE, HAD_IT, RUNNING, DEPLOYED_THERE, SILENCE),
        Row(
            UPDATE, UPDATE.wrote(DONE, 76, hosted_at=HOSTED_AT), RUNNING, DEPLOYED_THERE,
            take(UPDATE.mark(HELD, HOSTED_AT), earlier(DONE), WAS),
        ),
        Row(
            CREATE, HAD_IT.but("took over from a request at work", crosses=True), RUNNING, DEPLOYED_THERE,
            take(CREATE.mark(HELD, HOSTED_AT), earlier(DONE), WAS),
        ),
        Row(
            CREATE, HAD_IT, RUNNING, formerly(DEPLOYED_THERE, earlier(DONE), OTHER, "itself"),
            take(CREATE.mark(HELD, HOSTED_AT), earlier(DONE), WAS),
        ),
        Row(CREATE, first_read(NOTHING, 74), RUNNING, STARTED_THERE, rest(1)),
        Row(CREATE, first_read(NOTHING, 74), RESIZED, DEPLOYED_THERE, rest(1)),
        Row(
            CREATE, first_read(NOTHING, 75), RESIZED, DEPLOYED_THERE,
            take(CREATE.mark(HELD, HOSTED_AT), earlier(DONE), WAS),
        ),
        Row(
            CREATE, first_read(NOTHING, 75), RUNNING, STARTED_THERE,
            take(
                CREATE.mark(HELD), earlier(STARTED),
                {Tag.FORMER_LOGICAL_ID: OTHER, Tag.FORMER_REQUEST: str(earlier(STARTED))}, in_flight=True,
            ),
        ),
        Row(
            NEW_WITH_HOURS, NOTHING, STOPPED, other(earlier(ASLEEP, has_hours=True), "asleep"),
            take(
                NEW_WITH_HOURS.mark(SLEEPING, HOSTED_AT), earlier(ASLEEP, has_hours=True),
                {**WAS, Tag.FORMER_REQUEST: str(earlier(ASLEEP, has_hours=True))},
            ),
        ),
        Row(CREATE, NOTHING, STOPPING, GIVEN_UP, Pause()),
        Row(CREATE, NOTHING, RUNNING, MOVED_LATER, fails("declare it once", Metric.FOREIGN)),
        Row(
            UPDATE, UPDATE.wrote(DONE, 76, hosted_at=HOSTED_AT), RUNNING, MOVED_LATER,
            answers(UPDATE, "HOSTED"),
        ),
        Row(CREATE, NOTHING, RUNNING, formerly(MOVED_LATER, earlier(GONE, issued=ISSUED), NAME), SILENCE),
        Row(
            DELETE, NOTHING, RUNNING, formerly(MOVED_TO_OTHER, earlier(DONE), NAME),
            WriteTags(gone(DELETE), Done()),
        ),
        Row(
            DELETE, NOTHING, RUNNING,
            formerly(MOVED_LATER, earlier(DONE, issued=ISSUED + SECOND), NAME, "as a later request left it"),
            SILENCE,
        ),
        Row(
            DELETE, NOTHING, RUNNING, formerly(MOVED_TO_OTHER, earlier(GONE), NAME),
            WriteTags(gone(DELETE), Done(), wait=DELETE.task.in_flight),
        ),
        Row(
            DELETE, NOTHING, RUNNING, MOVED_TO_OTHER,
            WriteTags(gone(DELETE), Done(), wait=DELETE.task.in_flight),
        ),
        Row(DELETE, first_read(NOTHING, 74), RUNNING, MOVED_TO_OTHER, rest(1)),
        *(
            Row(
                DELETE, NOTHING.but(f"first saw that note {ago} s ago", left=NOW - ago), RUNNING,
                formerly(MOVED_TO_OTHER, DELETE.mark(GONE), NAME, "as this Delete has noted"), move,
            )
            for ago, move in ((74, rest(1)), (75, Finish(Done())))
        ),
        *(
            Row(
                one, first_read(NOTHING, 164), RUNNING,
                formerly(MOVED_TO_OTHER, earlier(DONE), NAME), rest(1),
            )
            for one in (UNDOING, ROLLBACK)
        ),
        *(
            Row(
                one, first_read(NOTHING, ago), RUNNING,
                formerly(MOVED_TO_OTHER, earlier(DONE), "Third"), move,
            )
            for one in (UNDOING, ROLLBACK)
            for ago, move in ((164, rest(1)), (165, Finish(Done())))
        ),
        Row(
            UNDOING, NOTHING, RUNNING, formerly(MOVED_TO_OTHER, earlier(DONE), NAME),
            WriteTags(gone(UNDOING), Done(), wait=UNDOING.task.in_flight),
        ),
        Row(DELETE, NOTHING, RUNNING, formerly(MOVED_TO_OTHER, earlier(DONE), "Third"), Finish(Done())),
        Row(DELETE, NOTHING, RUNNING, MOVED_LATER, Finish(Done())),
        Row(ROLLBACK, first_read(NOTHING, 164), RUNNING, MOVED_LATER, rest(1)),
        Row(ROLLBACK, first_read(NOTHING, 165), RUNNING, MOVED_LATER, Finish(Done())),
        Row(
            DELETE, NOTHING, RUNNING, formerly(MOVED_LATER, earlier(DONE), NAME),
            WriteTags(gone(DELETE), Done()),
        ),
        Row(DELETE, quiet(NOTHING, 5), RUNNING, MOVED_TO_OTHER, rest(5)),
        Row(
            DELETE, NOTHING.but("wrote that it is gone", left=NOW - 90), RUNNING, MOVED_TO_OTHER,
            Finish(Done()),
        ),
        Row(
            CREATE, CREATE.wrote(DONE, 74), RUNNING, formerly(OWN_DONE, earlier(DONE), OTHER), rest(1),
        ),
        Row(
            CREATE, CREATE.wrote(DONE, 75), RUNNING, formerly(OWN_DONE, earlier(DONE), OTHER),
            answers(CREATE, "HOSTED"),
        ),
        *(
            Row(
                CREATE, CREATE.wrote(DONE, 75).but(f"another delivery showed {ago} s ago", shown=NOW - ago),
                RUNNING, formerly(OWN_DONE, earlier(DONE), OTHER), move,
            )
            for ago, move in ((74, rest(1)), (75, answers(CREATE, "HOSTED")))
        ),
        Row(
            CREATE, CREATE.wrote(DONE, 2), RUNNING, formerly(OWN_DONE, earlier(GONE), OTHER),
            answers(CREATE, "HOSTED"),
        ),
        Row(
            UPDATE, UPDATE.wrote(DONE, 74), RUNNING, formerly(UPDATED, earlier(DONE), OTHER), rest(1),
        ),
        *(
            Row(
                UPDATE, OTHERWISE_NAMED[ago], RUNNING, UPDATE.tags(DONE, hosted_at=HOSTED_AT), move,
            )
            for ago, move in ((74, rest(1)), (75, answers(UPDATE, "HOSTED")))
        ),
        Row(CREATE, CREATE.wrote(DONE, 74), RUNNING, formerly(OWN_DONE, LATELY, NAME), rest(1)),
        Row(
            CREATE, CREATE.wrote(DONE, 75), RUNNING, formerly(OWN_DONE, LATELY, NAME),
            answers(CREATE, "HOSTED"),
        ),
        Row(
            CREATE, CREATE.wrote(DONE, 2), RUNNING,
            formerly(OWN_DONE, earlier(GONE), NAME, "released long ago"),
            answers(CREATE, "HOSTED"),
        ),
        Row(ROLLBACK, NOTHING, HOSTED_TOO, UNREAD, Finish(Done())),
        Row(
            ROLLBACK, first_read(NOTHING, 239), RUNNING, formerly(OWN, earlier(DONE), OTHER), rest(1),
        ),
        Row(
            ROLLBACK, first_read(NOTHING, 240), RUNNING, formerly(OWN, earlier(DONE), OTHER),
            take(ROLLBACK.mark(RETURNING, HOSTED_AT), earlier(DONE)),
        ),
        Row(ROLLBACK, first_read(NOTHING, 239), RUNNING, formerly(OWN, earlier(HELD), NAME), rest(1)),
        Row(
            ROLLBACK, first_read(NOTHING, 240), RUNNING, formerly(OWN, earlier(HELD), NAME),
            take(ROLLBACK.mark(RELEASING, HOSTED_AT), earlier(DONE), CLOSING),
        ),
        Row(
            UPDATE, NOTHING, RUNNING, formerly(OWN, earlier(DONE), OTHER),
            take(
                UPDATE.mark(HELD, HOSTED_AT), earlier(DONE),
                {Tag.FORMER_REQUEST: str(earlier(GONE, hosted_at=HOSTED_AT))},
            ),
        ),
        Row(
            DELETE, NOTHING, RUNNING, formerly(OWN, earlier(DONE), OTHER),
            take(DELETE.mark(RETURNING, HOSTED_AT), earlier(DONE)),
        ),
        Row(
            DELETE, NOTHING, RUNNING, formerly(OWN, earlier(GONE), OTHER),
            take(DELETE.mark(RELEASING, HOSTED_AT), earlier(DONE), CLOSING),
        ),
        Row(
            DELETE, NOTHING, RUNNING,
            formerly(
                Said("a mark of 36 hours ago", owned(earlier(DONE, issued=ISSUED - RETURN_WITHIN))),
                earlier(DONE, issued=ISSUED - RETURN_WITHIN - HOUR), OTHER,
            ),
            take(DELETE.mark(RELEASING, HOSTED_AT), earlier(DONE, issued=ISSUED - RETURN_WITHIN), CLOSING),
        ),
        Row(DELETE, quiet(BACK, 5), RUNNING, UNREAD, rest(5)),
        Row(DELETE, BACK, RUNNING, undone(earlier(DONE)), gives_back(earlier(DONE))),
        *(
            Row(
                DELETE, BACK, RUNNING,
                Said(
                    f"the same, closed by a Delete of `{OTHER}`, a second {when}",
                    undone(earlier(DONE)).value | closed("", after, OTHER).value,
                ),
                move,
            )
            for when, after, move in (
                ("later", SECOND, Stop()), ("before it took it", -HOUR - SECOND, gives_back(earlier(DONE))),
            )
        ),
        Row(DELETE, DELETE.wrote(RETURNING, 89), RUNNING, undone(earlier(DONE)), rest(1)),
        Row(
            DELETE, DELETE.wrote(RETURNING).but("took over", took_from=earlier(DONE)), RUNNING,
            undone(earlier(DONE)), rest(89),
        ),
        Row(
            DELETE, NOTHING, RUNNING,
            formerly(other(earlier(RETURNING), "it gives it back"), earlier(DONE), NAME), Pause(idle=True),
        ),
        Row(
            DELETE, BACK.but(f"read that `{OTHER}` had it", former=Former(OTHER, earlier(DONE))), RUNNING,
            formerly(DELETE.tags(RETURNING), DELETE.mark(GONE), NAME, "given back, and its mark covers that"),
            gives_back(earlier(DONE)),
        ),
        Row(DELETE, BACK, RUNNING, undone(earlier(GONE)), Close(reopens=False)),
        Row(DELETE, BACK.but("closed it", closed=True), RUNNING, undone(earlier(GONE)), Stop()),
        Row(
            DELETE, BACK, RUNNING,
            Said(
                "that it gives it back to who is gone, and closed by this very request",
                undone(earlier(GONE)).value | CLOSING,
            ),
            Stop(),
        ),
        Row(DELETE, BACK, RESIZED, undone(earlier(DONE)), Stop()),
        Row(DELETE, BACK, STOPPING, undone(earlier(DONE)), Pause(idle=True)),
        Row(
            DELETE, BACK, STOPPED, undone(earlier(DONE, units="2-4"), "`done`, 2 to 4 units"),
            Start(Units(2, 4), "Return"),
        ),
        *(
            Row(
                one, one.wrote(RETURNING, 90).but(f"refused a Start {ago} s ago", denied_since=NOW - ago),
                STOPPED, formerly(one.tags(RETURNING), earlier(DONE), OTHER), move,
            )
            for one in (DELETE, ROLLBACK)
            for ago, move in ((119, Start(Units(1), "Return")), (120, Close(reopens=False)))
        ),
        Row(
            DELETE, BACK, STOPPED, undone(earlier(DONE, units=""), "`done`, no units"),
            Start(Units(1), "Return"),
        ),
        Row(
            DELETE, accepted(BACK), RUNNING, undone(earlier(DONE)),
            gives_back(earlier(DONE, hosted_at=NOW_STAMP)),
        ),
        *(
            Row(DELETE, JUST_ACCEPTED, seen, undone(earlier(DONE)), Pause())
            for seen in (FAILED, STOPPED, RESIZED)
        ),
        Row(
            DELETE, accepted(BACK).but("15 s ago", started_at=NOW - 15), STOPPED, undone(earlier(DONE)),
            WriteTags(
                returned(earlier(DONE, hosted_at=NOW_STAMP)),
                Failed("was stopped by somebody else while it was starting", Metric.HOSTING_FAILED),
            ),
        ),
        Row(
            DELETE, accepted(BACK), FAILED, undone(earlier(DONE)),
            WriteTags(
                returned(earlier(DONE, hosted_at=NOW_STAMP)),
                Failed("could not be hosted", Metric.HOSTING_FAILED),
            ),
        ),
        Row(DELETE, BACK, UNREADY, undone(earlier(DONE)), gives_back(earlier(DONE))),
        Row(DELETE, BACK, RUNNING, undone(earlier(ASLEEP)), Stop()),
        Row(DELETE, BACK, STOPPED, undone(earlier(ASLEEP)), gives_back(earlier(ASLEEP))),
        Row(DELETE, BACK, STOPPED, WAKING, Start(Units(1), "Return")),
        Row(DELETE, BACK, RUNNING, WAKING, gives_back(earlier(DONE))),
        Row(
            DELETE, BACK, RUNNING, undone(earlier(STARTED)),
            gives_back(earlier(DONE, hosted_at="")),
        ),
    ),
)  # fmt: skip
