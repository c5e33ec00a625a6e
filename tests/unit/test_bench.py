"""The harness behind `make bench` measures what it says."""

from pathlib import Path

import pytest
from bench.harness.app import Link, fifths, latencies, marks_of
from bench.harness.content import END, KINDS, tokens
from bench.harness.measure import Server, answer
from bench.harness.screen import PyteScreen, Queries, new_screen

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs /proc, which only Linux has"
)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"plain"}))
def test_content_is_the_same_each_time_and_its_marks_count_up(kind: str):
    found = tokens(kind, 700)

    marks = list(marks_of([(0.0, text) for text in found]))
    assert found == tokens(kind, 700)
    assert marks == list(range(len(marks)))
    assert marks
    assert found[-1] == END
    assert 700 <= len(found) <= 703


def test_a_mark_is_seen_with_itself_or_a_later_one():
    seen = [(1.010, 1), (1.050, 4)]
    sent = {0: 1.0, 1: 1.005, 2: 1.01, 4: 1.04, 5: 1.045}

    assert latencies(seen, sent) == pytest.approx([10, 5, 40, 10])


def test_processor_time_is_shared_out_by_the_marks_on_the_screen():
    spent = [(-1, 2.5), (49, 3.0), (99, 5.0)]

    assert fifths(spent, 100, 2.0) == pytest.approx([0.4, 0.4, 0.6, 0.8, 0.8])


def test_queries_are_answered_once_also_when_they_come_in_pieces():
    queries = Queries(120, 40)

    assert queries.answers(b"x\x1b[?2026$") == b""
    assert queries.answers(b"p\x1b[c") == b"\x1b[?2026;2$y\x1b[?62;22c"
    assert queries.answers(b"y\x1b[18t") == b"\x1b[8;40;120t"


def test_the_screens_agree():
    data = "\x1b[?1049h\x1b[2;3HGrüße\x1b[>1u\x1b[5;1H中文\x1b[1mx\x1b[m".encode()
    screens = [new_screen(20, 6), PyteScreen(20, 6)]

    for screen in screens:
        screen.feed(data)

    one, other = ([row.rstrip() for row in s.text().split("\n")] for s in screens)
    assert one == other
    assert one[1] == "  Grüße"


@needs_proc
def test_an_answer_is_measured():
    with Server() as server:
        found = answer("floor-openai", server, "words", 60, 100)

    assert found.tokens == 61
    assert found.text_bytes == 60 * len("w00000 ") + len(END)
    assert found.text_bytes < found.bytes < 2 * found.text_bytes
    assert len(found.latency) == 60
    assert 0 < found.cpu < 10
    assert found.peak > 10


@needs_proc
def test_a_slow_link_makes_the_screen_old():
    link = Link(rate=500, round_trip=0.2)

    with Server() as server:
        found = answer("floor-openai", server, "words", 100, 1000, link=link)

    assert min(found.latency) >= 100
    assert 700 < max(found.latency) < 5000
