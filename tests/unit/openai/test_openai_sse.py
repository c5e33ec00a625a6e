"""Server-sent events, cut and ended in every way."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.models.openai.sse import SSEDecoder


def decode(*chunks: bytes) -> list[bytes]:
    decoder = SSEDecoder()
    return [data for chunk in chunks for data in decoder.feed(chunk)] + list(
        decoder.finish()
    )


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_events_end_with_any_kind_of_line(end: bytes) -> None:
    lines = [
        b"event: message",
        b"data: a",
        b"",
        b": ping",
        b"data:b",
        b"data:  c",
        b"",
        b"",
    ]

    assert decode(end.join(lines)) == [b"a", b"b\n c"]


def test_comments_and_other_fields_are_no_data() -> None:
    assert decode(b": ping\n\nid: 1\nretry: 5\n\ndata\n\nevent: x\n\n") == [b""]


def test_byte_order_mark_is_no_part_of_the_stream() -> None:
    assert decode(b"\xef\xbb\xbfdata: a\n\n") == [b"a"]


def test_error_line_of_old_servers_is_data() -> None:
    assert decode(b'error: {"code": 500}\n\n') == [b'{"code": 500}']


def test_line_end_that_is_cut_in_two_is_one() -> None:
    stream = b"data: a\r\ndata: b\r\n\r\n"

    for i in range(len(stream)):
        assert decode(stream[:i], stream[i:]) == [b"a\nb"]


@given(st.data())
def test_cuts_change_nothing(data: st.DataObject) -> None:
    stream = data.draw(
        st.lists(
            st.sampled_from(
                ["data: 你好", "data:👋", ": x", "\n", "\r", "\r\n", "\n\n"]
            ),
            max_size=12,
        ).map(lambda parts: "".join(parts).encode())
    )
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    edges = [0, *cuts, len(stream)]

    cut = decode(*[stream[a:b] for a, b in itertools.pairwise(edges)])

    assert cut == decode(stream)
