"""A few messages of a conversation, read from its end."""

from tui import conversation
from tui.conversation.preview import LONGEST, Spoken, preview
from tui.events import MessageAdded, Record
from tui.messages import Message, Role


def said(
    id: str, text: str, role: Role = "user", parent: str | None = None, turn: str = ""
) -> Record:
    added = MessageAdded(id, Message(role, text), parent)
    return Record(0, "c", turn or None, 1.0, added)


def test_the_last_messages_come_in_their_order_without_results_of_tools(log):
    log.add(
        [
            said("1", "First"),
            said("2", "", "assistant"),
            said("3", "22 degrees", "tool"),
            said("4", "It is warm.", "assistant"),
            said("5", "x" * 30_000),
        ]
    ).result(30)

    found = preview(log, "c", limit=2)
    assert found == [Spoken("assistant", "It is warm."), Spoken("user", "x" * LONGEST)]
    assert next(it.text for it in preview(log, "c")) == "First"
    assert preview(log, "none") == []


def test_another_answer_stands_in_the_place_of_the_first(log):
    log.add(
        [
            said("q", "Why?", turn="t1"),
            said("a", "Because.", "assistant", turn="t1"),
            said("b", "For fun.", "assistant", parent="q", turn="t2"),
        ]
    ).result(30)

    assert [it.text for it in preview(log, "c")] == ["Why?", "For fun."]


def test_a_match_has_what_is_around_it(log):
    log.add([said(str(n), f"number{n} is here") for n in range(9)]).result(30)
    (hit,) = conversation.search(log, "number4")

    found = preview(log, "c", hit.seq, limit=3)
    assert [it.text[:7] for it in found] == [f"number{n}" for n in range(2, 7)]
    assert [it.matches for it in found] == [False, False, True, False, False]


def test_an_excerpt_has_no_signs_of_markdown(log):
    text = (
        "## Ways\n\n| Algorithm | Cost |\n|---|---|\n| **token bucket** | `O(1)` |\n\n"
        "- *first* [a page](http://x.test)\n"
    )
    log.add([said("1", text, "assistant")]).result(30)

    (hit,) = conversation.search(log, "token bucket")
    assert hit.excerpt == "…Algorithm · Cost token bucket · O(1) first a page"
    assert [hit.excerpt[a:b] for a, b in hit.marks] == ["token bucket"] or [
        hit.excerpt[a:b] for a, b in hit.marks
    ] == ["token", "bucket"]


def test_a_match_in_markdown_itself_is_still_shown(log):
    log.add([said("1", "Write a ** b, or `x`", "assistant")]).result(30)

    (hit,) = conversation.search(log, '"a ** b"')
    assert "a ** b" in hit.excerpt
