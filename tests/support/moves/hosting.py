"""Rows of the table: towards a model that runs, and its hours."""

from __future__ import annotations

from dataclasses import replace

from hosted_model_runtime.contract import Metric, Tag
from hosted_model_runtime.decisions.ends import Done, Failed, Superseded
from hosted_model_runtime.decisions.marks import State
from hosted_model_runtime.decisions.model import Phase, Units
from hosted_model_runtime.decisions.moves import (
    AskFormer,
    Fail,
    Failing,
    Finish,
    Look,
    Note,
    Pause,
    ReadTags,
    Resize,
    Start,
    StartCall,
    Stop,
    WriteTags,
)
from hosted_model_runtime.decisions.next_move import REPORTED
from support.moves.rows import (
    ABSENT,
    ADOPTING,
    ADOPTING_IN_PLACE,
    ASLEEP,
    CREATE,
    DELETE,
    DONE,
    FAILED,
    HELD,
    IN_PLACE,
    INTENT,
    NEW_IN_PLACE,
    NEW_WITH_HOURS,
    NOW_STAMP,
    OFF_TIME,
    ON_TIME,
    ON_TIME_IN_PLACE,
    REPLACING,
    RESIZED,
    RESIZING,
    RUNNING,
    SILENCE,
    SLEEPING,
    STARTED,
    STARTING,
    STOPPED,
    STOPPING,
    UNFENCED,
    UNREADY,
    UNSEEN,
    UPDATE,
    WITH_HOURS,
    Group,
    Row,
)
from support.moves.words import (
    ACTED,
    DEPLOYED,
    HOSTED_AT,
    ISSUED,
    LATER,
    NOBODY,
    NOT_LOOKED,
    NOTHING,
    NOW,
    OTHER_STACK,
    SECOND,
    THEIRS,
    UNREAD,
    Said,
    Who,
    accepted,
    amiss,
    answers,
    before,
    claimed,
    closed,
    earlier,
    fails,
    hosted_ago,
    hours,
    lost,
    mark_of,
    owned,
    reopened,
    resizing,
    rest,
    sees,
    take,
)

OWN_DONE = UPDATE.tags(DONE, hosted_at=HOSTED_AT)


NOTED_ASLEEP = OFF_TIME.tags(ASLEEP, hosted_at=HOSTED_AT)
CROSSED = OFF_TIME.wrote(ASLEEP, 90).but("took over from a start at work", crosses=True, stop_refused=True)


LATER_STOP = hours("Stop", ASLEEP, ISSUED + SECOND)
HOURS_DONE = WITH_HOURS.tags(DONE, hosted_at=HOSTED_AT)
PUT_TO_SLEEP = Said(
    "its mark `done`, and a schedule has put the model to sleep",
    HOURS_DONE.value | {Tag.HOURS: str(replace(OFF_TIME.mark(ASLEEP), under="request-2"))},
)


WOKEN_UP = Said(
    "its mark `asleep`, and a schedule has started the model",
    WITH_HOURS.tags(ASLEEP).value | {Tag.HOURS: str(replace(ON_TIME.mark(DONE), under="request-2"))},
)


FULL = {f"mine-{number}": "" for number in range(44)}


def crossing(ago: float, request: Who = UPDATE, state: State = DONE) -> Said:
    """It took over from a request at work, and wrote how it ended."""
    wrote = request.wrote(state, ago, hosted_at=HOSTED_AT if state is DONE else "")
    return wrote.but("took over from a request at work", crosses=True)


TO_TWO = resizing(2, "a change to 2 under way", under_way=True)
FIRST_LOOK = Group(
    "The first look",
    "Look, then read the tags, then decide who commands the model.",
    (
        Row(CREATE, NOTHING, NOT_LOOKED, UNREAD, Look()),
        Row(CREATE, NOTHING, ABSENT, UNREAD, fails("does not exist")),
        Row(OFF_TIME, NOTHING, ABSENT, UNREAD, Finish(Superseded("there is no model any more"))),
        Row(DELETE, NOTHING, ABSENT, UNREAD, Finish(Done())),
        Row(CREATE, NOTHING, STOPPED, UNREAD, ReadTags()),
        Row(CREATE, NOTHING, UNREADY, NOBODY, fails("is UNREADY", Metric.INVALID)),
    ),
)

WHO_COMMANDS = Group(
    "Who commands the model",
    "Taking the lease and saying that a Start follows is one write.",
    (
        Row(CREATE, NOTHING, STOPPED, NOBODY, take(CREATE.mark(INTENT))),
        Row(
            CREATE, NOTHING, STOPPED, Said("nobody owns it, 44 tags of its own", FULL),
            fails("must have at most 43 tags beside the 7 of its lease", Metric.INVALID),
        ),
        Row(CREATE, NOTHING, FAILED, NOBODY, take(CREATE.mark(State.STARTING_FAILED))),
        Row(UNFENCED, NOTHING, STOPPED, NOBODY, take(UNFENCED.mark(HELD), in_flight=True)),
        Row(UNFENCED, NOTHING, STOPPED, before(DONE), take(UNFENCED.mark(INTENT), earlier(DONE))),
        Row(CREATE, NOTHING, STOPPING, NOBODY, take(CREATE.mark(HELD))),
        Row(CREATE, NOTHING, RUNNING, NOBODY, fails("no stack owns it", Metric.FOREIGN)),
        Row(ADOPTING, NOTHING, RUNNING, NOBODY, take(ADOPTING.mark(HELD))),
        Row(ADOPTING, NOTHING, RESIZED, NOBODY, fails("runs with 3 inference units", Metric.INVALID)),
        Row(ADOPTING, NOTHING, RUNNING, THEIRS, fails("owned by Model of stack", Metric.FOREIGN)),
        Row(CREATE, NOTHING, STOPPED, before(DONE), take(CREATE.mark(INTENT), earlier(DONE))),
        Row(
            CREATE, NOTHING, STARTING, before(STARTED),
            take(CREATE.mark(HELD), earlier(STARTED), in_flight=True),
        ),
        Row(UPDATE, NOTHING, RUNNING, before(DONE), take(UPDATE.mark(HELD, HOSTED_AT), earlier(DONE))),
        Row(
            UNSEEN, NOTHING, RUNNING, before(DONE),
            take(UNSEEN.mark(HELD, HOSTED_AT), earlier(DONE), in_flight=True),
        ),
        Row(
            UNSEEN, NOTHING, RUNNING, Said("the mark `done` of that update", owned(earlier(DONE, units="2"))),
            take(UNSEEN.mark(HELD, HOSTED_AT), earlier(DONE, units="2")),
        ),
        Row(CREATE, NOTHING, RESIZED, before(DONE), fails("runs with 3 inference units", Metric.INVALID)),
        Row(CREATE, NOTHING, STOPPED, LATER, SILENCE),
        Row(CREATE, NOTHING, STOPPED, closed("a later Delete of this resource", SECOND), SILENCE),
        Row(
            CREATE, NOTHING, STOPPED, closed("an earlier Delete of this stack", -SECOND),
            take(CREATE.mark(INTENT), reopens=True),
        ),
        *(
            Row(
                CREATE, reopened(NOTHING, ago), STOPPED, closed("an earlier Delete of this stack", -SECOND),
                take(CREATE.mark(INTENT), reopens=again),
            )
            for ago, again in ((70, False), (80, True))
        ),
        Row(
            CREATE, NOTHING, STOPPED,
            closed("an earlier Delete of another stack", -SECOND, stack=OTHER_STACK),
            take(CREATE.mark(INTENT)),
        ),
        Row(
            CREATE, NOTHING, STOPPED, closed("a later Delete of another stack", SECOND, stack=OTHER_STACK),
            fails("another stack gave it up after", Metric.FOREIGN),
        ),
        Row(CREATE, NOTHING, sees(Phase.STOPPED, took=True), before(DONE), Pause()),
        Row(CREATE, NOTHING, RUNNING, CREATE.tags(DONE, hosted_at=HOSTED_AT), answers(CREATE, "HOSTED")),
        Row(CREATE, NOTHING, STOPPED, CREATE.tags(State.FAILED), fails(REPORTED)),
    ),
)  # fmt: skip

HOSTING = Group(
    "Towards a model that runs",
    "The mark is written before the Start, and once more after it. The tags are not read while there is "
    "nothing to do but wait.",
    (
        Row(CREATE, CREATE.wrote(INTENT), STOPPED, CREATE.tags(INTENT), Start(Units(1), "Start")),
        Row(CREATE, NOTHING, STOPPED, CREATE.tags(INTENT), Start(Units(1), "Start")),
        Row(CREATE, NOTHING, STARTING, CREATE.tags(INTENT), Pause(idle=True)),
        Row(CREATE, NOTHING, FAILED, CREATE.tags(INTENT), _fail := Fail(
            Failing(Failed("could not be hosted", Metric.HOSTING_FAILED), NOW))),
        Row(CREATE, CREATE.wrote(HELD), STOPPED, CREATE.tags(HELD), Note(CREATE.mark(INTENT))),
        Row(CREATE, accepted(CREATE.wrote(INTENT)), ACTED, UNREAD, ReadTags()),
        Row(
            CREATE, accepted(CREATE.wrote(INTENT)), ACTED, CREATE.tags(INTENT), Note(CREATE.mark(STARTED)),
        ),
        Row(
            CREATE, accepted(CREATE.wrote(INTENT)), STARTING, CREATE.tags(INTENT), Note(CREATE.mark(STARTED)),
        ),
        # The answer to its Start was lost: what it sees tells.
        Row(CREATE, lost(CREATE.wrote(INTENT)), STARTING, UNREAD, ReadTags()),
        Row(CREATE, lost(CREATE.wrote(INTENT)), STARTING, CREATE.tags(INTENT), Note(CREATE.mark(STARTED))),
        Row(CREATE, lost(CREATE.wrote(INTENT)), STOPPED, CREATE.tags(INTENT), Start(Units(1), "Start")),
        Row(CREATE, accepted(CREATE.wrote(STARTED)), ACTED, UNREAD, Pause()),
        Row(CREATE, accepted(CREATE.wrote(STARTED)), STARTING, UNREAD, Pause(idle=True)),
        Row(CREATE, CREATE.wrote(STARTED), RUNNING, UNREAD, ReadTags()),
        Row(CREATE, CREATE.wrote(STARTED), RUNNING, CREATE.tags(STARTED), Note(CREATE.mark(DONE, NOW_STAMP))),
        Row(
            CREATE, CREATE.wrote(DONE, hosted_at=HOSTED_AT), RUNNING, CREATE.tags(DONE, hosted_at=HOSTED_AT),
            answers(CREATE, "HOSTED"),
        ),
        Row(UPDATE, UPDATE.wrote(INTENT, 14), RESIZED, UPDATE.tags(INTENT), Pause()),
        Row(UPDATE, UPDATE.wrote(INTENT, 15), RESIZED, UPDATE.tags(INTENT), Stop()),
        Row(CREATE, CREATE.wrote(INTENT, 14), FAILED, CREATE.tags(INTENT), Pause()),
        Row(CREATE, CREATE.wrote(INTENT, 15), FAILED, CREATE.tags(INTENT), _fail),
        Row(UPDATE, crossing(89), RUNNING, OWN_DONE, rest(1)),
        Row(UPDATE, crossing(90), RUNNING, OWN_DONE, answers(UPDATE, "HOSTED")),
        Row(UPDATE, crossing(90), STOPPED, OWN_DONE, replace(rest(75), amiss=True)),
        Row(UPDATE, amiss(crossing(164), 74), STOPPED, OWN_DONE, replace(rest(1), amiss=True)),
        Row(UPDATE, amiss(crossing(165), 75), STOPPED, OWN_DONE, Note(UPDATE.mark(HELD, HOSTED_AT))),
        Row(UPDATE, amiss(crossing(165), 75), RUNNING, OWN_DONE, answers(UPDATE, "HOSTED")),
        Row(
            WITH_HOURS, amiss(crossing(165, WITH_HOURS), 75), STOPPED, HOURS_DONE,
            Note(WITH_HOURS.mark(HELD, HOSTED_AT)),
        ),
        Row(WITH_HOURS, crossing(90, WITH_HOURS), STOPPED, PUT_TO_SLEEP, answers(WITH_HOURS, "HOSTED")),
        Row(
            WITH_HOURS, amiss(crossing(165, WITH_HOURS, ASLEEP), 75), RUNNING, WITH_HOURS.tags(ASLEEP),
            Note(WITH_HOURS.mark(SLEEPING)),
        ),
        Row(
            WITH_HOURS, crossing(165, WITH_HOURS, ASLEEP), RUNNING, WOKEN_UP,
            answers(WITH_HOURS, "TRAINED", hosted_at=""),
        ),
        Row(OFF_TIME, CROSSED, FAILED, NOTED_ASLEEP, answers(OFF_TIME, "TRAINED")),
        Row(OFF_TIME, amiss(CROSSED, 75), RUNNING, NOTED_ASLEEP, Note(OFF_TIME.mark(SLEEPING, HOSTED_AT))),
        Row(
            CREATE, CREATE.wrote(STARTED), RUNNING, CREATE.tags(DONE, hosted_at=HOSTED_AT),
            answers(CREATE, "HOSTED"),
        ),
        *(
            Row(
                CREATE, CREATE.wrote(HELD).but(f"saw it down {ago} s ago", seen_down=NOW - ago), RUNNING,
                CREATE.tags(HELD), move,
            )
            for ago, move in ((14, rest(1)), (15, Note(CREATE.mark(DONE, NOW_STAMP))))
        ),
        Row(CREATE, CREATE.wrote(STARTED, 14), FAILED, CREATE.tags(STARTED), Pause()),
        Row(CREATE, CREATE.wrote(STARTED, 15), FAILED, CREATE.tags(STARTED), _fail),
        Row(CREATE, CREATE.wrote(STARTED, 14), STOPPED, CREATE.tags(STARTED), Pause()),
        Row(CREATE, CREATE.wrote(STARTED, 14), RESIZED, CREATE.tags(STARTED), Pause()),
        Row(
            CREATE, CREATE.wrote(STARTED, 20).but("shown 14 s ago", shown=NOW - 14), STOPPED,
            CREATE.tags(STARTED), Pause(),
        ),
        Row(
            CREATE, accepted(CREATE.wrote(INTENT)).but("14 s ago", started_at=NOW - 14), STOPPED,
            CREATE.tags(INTENT), Note(CREATE.mark(STARTED)),
        ),
        Row(
            CREATE, CREATE.wrote(STARTED, 15), STOPPED, CREATE.tags(STARTED),
            Fail(Failing(Failed("stopped by somebody else"), NOW)),
        ),
        Row(
            CREATE, CREATE.wrote(STARTED), STOPPED.but("another delivery came further since", outrun=True),
            CREATE.tags(STARTED), Look(),
        ),
        Row(CREATE, CREATE.wrote(STARTED), RUNNING, LATER, SILENCE),
        Row(RESIZING, RESIZING.wrote(HELD), RUNNING, RESIZING.tags(HELD), Stop()),
        Row(RESIZING, RESIZING.wrote(HELD), STOPPING, UNREAD, Pause(idle=True)),
        Row(RESIZING, RESIZING.wrote(HELD), STOPPED, RESIZING.tags(HELD), Note(RESIZING.mark(INTENT))),
        Row(RESIZING, RESIZING.wrote(INTENT), STOPPED, RESIZING.tags(INTENT), Start(Units(2), "Start")),
        Row(
            RESIZING, RESIZING.wrote(INTENT).but("Start refused", start=StartCall.REFUSED), RUNNING,
            RESIZING.tags(INTENT), Stop(),
        ),
        Row(
            CREATE, CREATE.wrote(INTENT).but("Start refused", start=StartCall.REFUSED), RESIZED,
            CREATE.tags(INTENT), Pause(idle=True),
        ),
        Row(
            CREATE, CREATE.wrote(INTENT, 90).but(
                "Start refused 74 s ago", start=StartCall.REFUSED, shown=NOW - 74
            ),
            RESIZED, CREATE.tags(INTENT), Pause(idle=True),
        ),
        Row(
            CREATE, CREATE.wrote(INTENT, 90).but(
                "Start refused 75 s ago", start=StartCall.REFUSED, shown=NOW - 75
            ),
            RESIZED, CREATE.tags(INTENT), Fail(Failing(Failed("runs with 3 inference units"), NOW)),
        ),
    ),
)  # fmt: skip

IN_PLACE_GROUP = Group(
    "Units that change in place",
    "Where the service can, a model serves while its units change. The service tells what it was last asked "
    "for and when, so that a change that failed for somebody else, or before this request, is not taken for "
    "this one's. A Start there takes no units: a model that comes up with others is resized.",
    (
        Row(IN_PLACE, NOTHING, RUNNING, before(DONE), take(IN_PLACE.mark(HELD, HOSTED_AT), earlier(DONE))),
        Row(IN_PLACE, IN_PLACE.wrote(HELD), RUNNING, IN_PLACE.tags(HELD), Resize(Units(2))),
        Row(IN_PLACE, IN_PLACE.wrote(HELD), ACTED, UNREAD, Pause()),
        Row(IN_PLACE, IN_PLACE.wrote(HELD), TO_TWO, UNREAD, Pause(idle=True)),
        Row(IN_PLACE, NOTHING, TO_TWO, IN_PLACE.tags(HELD), Pause(idle=True)),
        Row(
            IN_PLACE, IN_PLACE.wrote(HELD), resizing(3, "another change to 3 under way", under_way=True),
            UNREAD, Pause(idle=True),
        ),
        Row(
            IN_PLACE, IN_PLACE.wrote(HELD), resizing(2, "its change to 2 was made, and is not shown yet"),
            UNREAD, Pause(idle=True),
        ),
        Row(
            IN_PLACE, IN_PLACE.wrote(HELD), sees(Phase.RUNNING, units=2).but("two, as wanted"),
            IN_PLACE.tags(HELD), Note(IN_PLACE.mark(DONE, NOW_STAMP)),
        ),
        Row(
            IN_PLACE, NOTHING, resizing(2, "a change to 2 failed since the request", failed=True),
            IN_PLACE.tags(HELD), Fail(Failing(Failed("could not be given 2"), NOW)),
        ),
        Row(
            IN_PLACE, NOTHING,
            resizing(2, "a change to 2 failed before the request", ago=101, failed=True),
            IN_PLACE.tags(HELD), Resize(Units(2)),
        ),
        Row(
            IN_PLACE, NOTHING, resizing(3, "a change to 3 failed", failed=True), IN_PLACE.tags(HELD),
            Resize(Units(2)),
        ),
        Row(
            NEW_IN_PLACE, NEW_IN_PLACE.wrote(STARTED), RUNNING, NEW_IN_PLACE.tags(STARTED), Resize(Units(2)),
        ),
        Row(
            NEW_IN_PLACE, NEW_IN_PLACE.wrote(HELD), RUNNING, NEW_IN_PLACE.tags(HELD),
            replace(rest(75), amiss=True),
        ),
        Row(
            NEW_IN_PLACE, amiss(NEW_IN_PLACE.wrote(HELD), 75), RUNNING, NEW_IN_PLACE.tags(HELD),
            Fail(Failing(Failed("runs with 1 inference units"), NOW)),
        ),
        Row(
            IN_PLACE, claimed(IN_PLACE.wrote(HELD), 134, 60), RUNNING, IN_PLACE.tags(HELD), rest(1),
        ),
        Row(
            ADOPTING_IN_PLACE, NOTHING, resizing(3, "another change to 3 under way", under_way=True), NOBODY,
            fails("is being given 3 inference units", Metric.INVALID),
        ),
        Row(
            ON_TIME_IN_PLACE, ON_TIME_IN_PLACE.wrote(STARTED), RUNNING,
            Said("its mark `started`, 2 units", ON_TIME_IN_PLACE.tags(STARTED, units="2").value),
            Resize(Units(2)),
        ),
        Row(
            ON_TIME_IN_PLACE, ON_TIME_IN_PLACE.wrote(HELD), RUNNING,
            Said("its mark `held`, 2 units", ON_TIME_IN_PLACE.tags(HELD, units="2").value),
            Resize(Units(2)),
        ),
    ),
)  # fmt: skip

AT_WORK = Said("a deploy is at work", owned(earlier(STARTED, issued=ISSUED - SECOND, has_hours=True)))
HOURS = Group(
    "Hours",
    "A schedule writes a mark of its own, and gives way to every deploy. A deploy does not wake a model "
    "whose hours are over.",
    (
        Row(OFF_TIME, NOTHING, RUNNING, DEPLOYED, take(OFF_TIME.mark(SLEEPING, HOSTED_AT))),
        Row(OFF_TIME, OFF_TIME.wrote(SLEEPING), RUNNING, OFF_TIME.tags(SLEEPING), Stop()),
        Row(OFF_TIME, OFF_TIME.wrote(SLEEPING), STOPPING, UNREAD, Pause(idle=True)),
        Row(
            OFF_TIME, OFF_TIME.wrote(SLEEPING), STOPPED, OFF_TIME.tags(SLEEPING), Note(OFF_TIME.mark(ASLEEP)),
        ),
        Row(OFF_TIME, OFF_TIME.wrote(SLEEPING), STOPPED, hosted_ago(OFF_TIME, SLEEPING, 14), rest(1)),
        Row(
            OFF_TIME, OFF_TIME.wrote(ASLEEP, hosted_at=HOSTED_AT), STOPPED,
            OFF_TIME.tags(ASLEEP, hosted_at=HOSTED_AT), answers(OFF_TIME, "TRAINED"),
        ),
        Row(
            ON_TIME, NOTHING, STOPPED, hours("Stop", ASLEEP),
            take(ON_TIME.mark(INTENT), mark_of(hours("Stop", ASLEEP))),
        ),
        Row(ON_TIME, ON_TIME.wrote(INTENT), STOPPED, ON_TIME.tags(INTENT), Start(Units(1), "Start")),
        Row(
            ON_TIME, ON_TIME.wrote(INTENT), STOPPED,
            Said("its mark, 2 to 4 units", ON_TIME.tags(INTENT, units="2-4").value),
            Start(Units(2, 4), "Start"),
        ),
        Row(
            ON_TIME, ON_TIME.wrote(INTENT), STOPPED,
            Said("its mark, no units", ON_TIME.tags(INTENT, units="").value), Start(Units(1), "Start"),
        ),
        Row(ON_TIME, NOTHING, STOPPED, ON_TIME.tags(INTENT, attempt=2), Start(Units(1), "Start 2")),
        Row(ON_TIME, NOTHING, RESIZED, DEPLOYED, take(ON_TIME.mark(HELD, HOSTED_AT))),
        Row(
            ON_TIME, ON_TIME.wrote(HELD, hosted_at=HOSTED_AT), RESIZED,
            ON_TIME.tags(HELD, hosted_at=HOSTED_AT), Note(ON_TIME.mark(DONE, HOSTED_AT)),
        ),
        Row(
            ON_TIME, ON_TIME.wrote(INTENT, 75), STOPPED, hours("Stop", ASLEEP),
            take(ON_TIME.mark(INTENT), mark_of(hours("Stop", ASLEEP))),
        ),
        Row(
            OFF_TIME, OFF_TIME.wrote(SLEEPING, 75), RUNNING, hours("Start", DONE, ISSUED),
            take(OFF_TIME.mark(SLEEPING, HOSTED_AT), mark_of(hours("Start", DONE, ISSUED))),
        ),
        *(
            Row(
                ON_TIME, ON_TIME.wrote(INTENT), STOPPED, later,
                WriteTags({Tag.HOURS: later.value[Tag.HOURS]}, Superseded()),
            )
            for later in (LATER_STOP, hours("Stop", ASLEEP, ISSUED))
        ),
        *(
            Row(
                OFF_TIME, OFF_TIME.wrote(SLEEPING, ago).but("saw a later schedule's mark", overtaken=True),
                RUNNING, OFF_TIME.tags(SLEEPING), move,
            )
            for ago, move in ((74, Pause()), (75, SILENCE))
        ),
        Row(ON_TIME, NOTHING, STOPPED, LATER_STOP, SILENCE),
        Row(ON_TIME, NOTHING, STOPPED, AT_WORK, SILENCE),
        Row(OFF_TIME, NOTHING, RUNNING, before(DONE), SILENCE),
        Row(WITH_HOURS, NOTHING, STOPPED, hours("Stop", ASLEEP), take(
            WITH_HOURS.mark(SLEEPING, HOSTED_AT), earlier(DONE, has_hours=True))),
        Row(UPDATE, NOTHING, STOPPED, hours("Stop", ASLEEP), take(
            UPDATE.mark(INTENT), earlier(DONE, has_hours=True))),
        Row(NEW_WITH_HOURS, NOTHING, STOPPED, NOBODY, take(NEW_WITH_HOURS.mark(INTENT))),
        Row(REPLACING, NOTHING, STOPPED, NOBODY, AskFormer()),
        Row(
            REPLACING, NOTHING.but("the old model is asleep", former_sleeps=True), STOPPED, NOBODY,
            take(REPLACING.mark(SLEEPING)),
        ),
        Row(
            REPLACING, NOTHING.but("the old model is awake", former_sleeps=False), STOPPED, NOBODY,
            take(REPLACING.mark(INTENT)),
        ),
    ),
)  # fmt: skip
