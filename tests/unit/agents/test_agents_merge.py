"""Generators side by side."""

import contextvars
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.agents.merge import merge

LIMIT = 30.0


def drain(run):
    items = []
    while True:
        try:
            items.append(next(run))
        except StopIteration as end:
            return items, end.value


def count(name, upto):
    for number in range(upto):
        yield name, number
    return upto


@settings(deadline=None)  # threads on a busy machine
@given(
    st.lists(st.integers(0, 5), max_size=6),
    st.integers(1, 4),
)
def test_nothing_is_lost_and_each_keeps_its_order(lengths, limit):
    runs = [count(name, upto) for name, upto in enumerate(lengths)]

    items, results = drain(merge(runs, limit))

    assert results == lengths
    for name, upto in enumerate(lengths):
        assert [n for who, n in items if who == name] == list(range(upto))
    assert len(items) == sum(lengths)


def test_they_run_at_the_same_time():
    meet = threading.Barrier(3, timeout=LIMIT)

    def wait():
        meet.wait()
        yield threading.current_thread().name

    items, _ = drain(merge([wait(), wait(), wait()]))

    assert len(set(items)) == 3


def test_no_more_than_the_limit_run_at_a_time():
    def where():
        yield threading.get_ident()

    items, _ = drain(merge([where() for _ in range(20)], limit=2))

    assert len(items) == 20
    assert len(set(items)) <= 2


def test_a_single_one_runs_in_the_callers_thread():
    def where():
        yield threading.current_thread()
        return 1

    assert drain(merge([where()])) == ([threading.current_thread()], [1])


def test_what_is_quick_does_not_wait_for_what_is_slow():
    release = threading.Event()

    def slow():
        assert release.wait(LIMIT)
        yield "slow"

    def quick():
        yield "quick"

    run = merge([slow(), quick()])
    first = next(run)
    release.set()

    assert [first, *drain(run)[0]] == ["quick", "slow"]


def test_threads_carry_context_variables():
    session = contextvars.ContextVar("session", default="none")
    session.set("mine")

    def who():
        yield session.get()

    assert drain(merge([who(), who()]))[0] == ["mine", "mine"]


def test_the_first_error_in_order_is_raised_after_all_have_ended():
    second_failed = threading.Event()

    def first():
        assert second_failed.wait(LIMIT)
        yield "a"
        raise KeyError("first")

    def second():
        second_failed.set()
        raise ValueError("second")
        yield

    run = merge([first(), second(), count("c", 2)])
    items = []

    with pytest.raises(KeyError, match="first"):
        items.extend(run)

    assert sorted(map(str, items)) == ["('c', 0)", "('c', 1)", "a"]


def test_closing_stops_the_others_at_their_next_item():
    closed = threading.Semaphore(0)

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.release()

    run = merge([endless(), endless()])
    next(run)
    run.close()

    assert closed.acquire(timeout=LIMIT)
    assert closed.acquire(timeout=LIMIT)
