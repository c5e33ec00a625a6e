"""Search over all conversations of a real store."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui import conversation
from tui.eventlog import EventLog
from tui.events import ConversationRenamed, MessageAdded, Record
from tui.messages import Message, Role, ToolCall


def say(log, *texts: str, of: str = "c", role: Role = "user"):
    for text in texts:
        number = log.tail()
        added = MessageAdded(f"m{number}", Message(role, text))
        log.append(of, added).result(30)


def found(log, query, limit=50):
    return [hit.excerpt for hit in conversation.search(log, query, limit)]


def marked(log, query):
    """Return what is marked in the newest hit."""
    hit = conversation.search(log, query)[0]
    return [hit.excerpt[start:end] for start, end in hit.marks]


@pytest.mark.parametrize(
    ("text", "query", "mark"),
    [
        ("The Server is down", "server", "Server"),
        ("Ein Café am Straßenrand", "cafe", "Café"),
        ("Ein Café am Straßenrand", "STRASSENRAND", "Straßenrand"),
        ("cafe\u0301", "café", "café"),
        ("请打开窗口", "窗口", "窗口"),
        ("请打开窗口", "窗", "窗"),
        ("请打开窗口", "口", "口"),
        ("请打开窗口", "打开窗口", "打开窗口"),
        ("ｆｕｌｌ", "full", "ｆｕｌｌ"),
        ("call getUserName()", "getUserName", "getUserName"),
        ("call getUserName()", "getusername", "getUserName"),
        ("call getUserName()", "user", "User"),
        ("call getUserName()", "getUs", "getUs"),
        ("call getUserName()", "getUserName()", "getUserName()"),
        ("set foo_bar", "foo_bar", "foo_bar"),
        ("set foo_bar", "bar", "bar"),
        ("set foo_bar", "foo_b", "foo_b"),
        ("std::vector<int> v;", "std::vector", "std::vector"),
        ("std::vector<int> v;", "::", "::"),
        ("std::vector<int> v;", "vector<int>", "vector<int>"),
        ("then x+=1; done", "x+=1", "x+=1"),
        ("then x+=1; done", "+=", "+="),
        ("in C++ or C#", "C++", "C++"),
        ("in C++ or C#", "c# ", "C#"),
        ("costs 3.14 €", "3.14", "3.14"),
        ("costs 3.14 €", "€", "€"),
        ("the programming of", "prog", "prog"),
        ("the programming of", "pro", "pro"),
        ("a 🍜 for lunch", "🍜", "🍜"),
        ("one\n  line", '"one line"', "one line"),
        ("AND or NOT", "and", "AND"),
    ],
)
def test_a_hit_is_shown_in_its_place(log, text, query, mark):
    say(log, "Something else entirely.", text)

    assert len(found(log, query)) == 1
    assert marked(log, query) == [mark]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("concatenate", "cat"),
        ("the word", "wo"),
        ("words", "word "),
        ("words", '"word"'),
        ("窗开口", "窗口"),
        ("打开 开窗", "打开窗"),
        ("foo bar", "foo_bar"),
        ("max+=1 and x", "x+=1 "),
        ("in C and ++", "C++"),
        ("big red big", '"red big red"'),
        ("only one", "one two"),
    ],
)
def test_what_does_not_stand_there_is_not_found(log, text, query):
    say(log, text)

    assert found(log, query) == []


def test_all_words_must_be_there_in_any_order(log):
    say(log, "red green", "green only", "blue, green and red")

    assert found(log, "green red") == ["blue, green and red", "red green"]
    assert found(log, '"red green"') == ["red green"]


def test_the_newest_come_first_and_no_more_than_asked_for(log):
    say(log, *[f"message {number}" for number in range(10)])

    assert found(log, "message", 3) == ["message 9", "message 8", "message 7"]
    assert len(found(log, "message")) == 10


def test_a_hit_tells_where_it_is(log):
    say(log, "What is a needle?", of="first")
    say(log, "A pointed needle.", of="first", role="assistant")
    log.append("first", ConversationRenamed("Sewing")).result()

    one, two = conversation.search(log, "needle")

    assert (one.conversation, one.title, one.role) == ("first", "Sewing", "assistant")
    assert (two.role, two.message_id) == ("user", "m0")
    assert one.time >= two.time > 1e9


def test_only_what_users_and_models_say_is_searched(log):
    log.append("c", MessageAdded("1", Message("tool", "needle", tool_call_id="a")))
    log.append("c", MessageAdded("2", Message("system", "needle")))
    call = ToolCall("a", "needle", {"needle": "needle"})
    message = Message("assistant", "thread", "needle", (call,))
    log.append("c", MessageAdded("3", message)).result()

    assert found(log, "needle") == []
    assert found(log, "thread") == ["thread"]


def test_the_excerpt_of_a_long_message_is_around_the_hit(log):
    say(log, f"{'before ' * 500}the needle here {'after ' * 500}")

    (excerpt,) = found(log, "needle")

    assert excerpt.startswith("…before")
    assert "the needle here" in excerpt
    assert excerpt.endswith("after…")
    assert len(excerpt) < 180


def test_the_excerpt_shows_the_words_together_where_they_stand_so(log):
    say(log, f"red {'x ' * 300} green and red {'y ' * 300} green")

    assert "green and red" in found(log, "red green")[0]


def test_an_excerpt_cannot_drive_the_terminal(log):
    say(log, "a\x1b[31m needle\u202e \r\n\x07 here")

    assert found(log, "needle") == ["a␛[31m needle ␇ here"]
    assert marked(log, "needle") == ["needle"]


def test_few_of_many_similar_words_are_all_found(log):
    """The index is asked for the beginning alone first, then for the words."""
    records = [
        Record(0, "c", None, 1.0, MessageAdded(f"m{n}", Message("user", text)))
        for n, text in enumerate(
            ["interior"] + ["international"] * 300 + ["getInterior"]
        )
    ]
    log.add(records).result(30)

    assert found(log, "interio", 5) == ["getInterior", "interior"]


@given(
    query=st.text(max_size=30) | st.text('"*+-():^{}~.NOTANDORabc 中文', max_size=20)
)
@settings(max_examples=300)
def test_no_query_is_an_error(query, tmp_path_factory):
    global _shared
    if _shared is None:
        _shared = EventLog(tmp_path_factory.mktemp("search") / "log.db")
        say(_shared, "a b c NOT AND OR 中文 text")

    for hit in conversation.search(_shared, query):
        assert all(0 <= a < b <= len(hit.excerpt) for a, b in hit.marks)


_shared: EventLog | None = None


def words_of(text):
    return st.lists(st.sampled_from(text), min_size=1, max_size=6).map("".join)


@given(
    texts=st.lists(words_of("ab_cé A.B中文字 "), min_size=1, max_size=5),
    query=words_of("ab_cé A.B中文字 "),
)
@settings(max_examples=150, deadline=None)
def test_quick_and_precise_find_the_same(texts, query, tmp_path_factory):
    """However the index is asked, the messages are the same."""
    with EventLog(tmp_path_factory.mktemp("search") / "log.db") as log:
        say(log, *texts)
        few = found(log, query, 1)
        many = found(log, query, 50)
    assert few == many[:1]
