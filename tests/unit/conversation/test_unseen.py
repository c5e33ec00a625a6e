"""What the user has not seen yet, and is brought back to."""

from tui import conversation, process_identity
from tui.app.chat.read_marker import ReadMarker
from tui.conversation import read_state
from tui.eventlog import EventLog
from tui.events import TextDelta, TurnFinished, TurnRequested
from tui.messages import Message
from tui.runtime.runner import request


def ask(log: EventLog, id: str) -> str:
    turn, written = request(log, id, Message("user", "Hi"), TurnRequested("m"))
    written.result(30)
    return turn


def begin(log: EventLog, id: str) -> str:
    turn = ask(log, id)
    log.append(
        id, process_identity.claim(), TextDelta(f"{turn}.1", "a"), turn=turn
    ).result(30)
    return turn


def end(log: EventLog, id: str, turn: str, reason: str = "stop") -> int:
    return log.append(id, TurnFinished(reason), turn=turn).result(30)


def test_what_has_ended_is_unseen_until_it_is_marked(log: EventLog) -> None:
    turn = begin(log, "a")
    seq = end(log, "a", turn)
    assert conversation.is_unseen(log, "a")
    assert not conversation.is_unseen(log, "b")

    read_state.mark_seen(log, "a", seq).result(30)

    assert not conversation.is_unseen(log, "a")
    ask(log, "a")
    assert conversation.is_unseen(log, "a")


def test_a_restored_conversation_counts_as_seen(log: EventLog) -> None:
    end(log, "a", begin(log, "a"))
    deleted = conversation.trash(log, "a")
    read_state.mark_seen(log, "a", log.tail()).result(30)  # as its screen does

    conversation.restore(log, deleted)

    *_, last = (r.seq for r in log.read("a") if isinstance(r.event, TurnFinished))
    assert read_state.seen(log, "a") >= last
    assert not conversation.is_unseen(log, "a")


def test_who_has_cancelled_an_answer_has_seen_it(log: EventLog) -> None:
    turn = begin(log, "a")
    read_state.mark_seen(log, "a", log.tail()).result(30)

    end(log, "a", turn, "cancelled")

    assert not conversation.is_unseen(log, "a")


def test_a_key_after_the_end_marks_it_and_no_other_does(log: EventLog) -> None:
    presence = ReadMarker(lambda seq: read_state.mark_seen(log, "a", seq))
    turn = begin(log, "a")
    presence.show(log.read("a"))
    presence.look()
    assert read_state.seen(log, "a") == 0  # nothing has ended
    seq = end(log, "a", turn)
    presence.show(log.read("a"))

    presence.look()
    log.flush()

    assert read_state.seen(log, "a") == seq


def test_leaving_marks_all_and_losing_the_terminal_nothing(log: EventLog) -> None:
    begin(log, "a")
    for lost in (True, False):
        presence = ReadMarker(lambda seq: read_state.mark_seen(log, "a", seq))
        presence.show(log.read("a"))
        if lost:
            presence.lose()
        presence.leave()
        log.flush()

        assert read_state.seen(log, "a") == (0 if lost else log.tail())
