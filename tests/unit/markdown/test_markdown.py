"""What Markdown looks like as rows of text."""

import pytest
from rich.cells import cell_len

from tui.app.markdown import Line, growing, stream, wrap
from tui.app.markdown.stream import Stream


def lines(text: str, width: int = 40) -> list[Line]:
    whole = Stream(width)
    whole.append(text)
    whole.finish()
    return whole.lines


def shown(text: str, width: int = 40) -> list[str]:
    return [line.text.rstrip() for line in lines(text, width)]


def styled(text: str, width: int = 60) -> dict[str, tuple[str, ...]]:
    return {part: style for line in lines(text, width) for part, style in line.spans}


def test_marks_become_styles():
    assert styled("**b** *e* ~~s~~ `c` **_x_** plain") == {
        "b": ("strong",),
        "e": ("em",),
        "s": ("strike",),
        "c": ("code",),
        "x": ("strong", "em"),
        " ": (),
        " plain": (),
    }
    assert styled("# One\n### Three") == {"One": ("h1",), "Three": ("h3",)}


def test_blocks_stand_one_blank_line_apart():
    assert shown("# T\ntext\n\n\n\nmore\n***\nend") == [
        *("T", "", "text", "", "more", "", "─" * 40, "", "end"),
    ]


def test_lists_keep_their_marks_numbers_and_gaps():
    assert shown("- a\n  - b\n    - c\n- d\n\n7. x\n7. y\n\n8. z\n\n   w") == [
        "• a",
        "  ◦ b",
        "    ▪ c",
        "• d",
        "",
        "7. x",
        "8. y",
        "",
        "9. z",
        "",
        "   w",
    ]


def test_tasks_have_boxes():
    assert shown("- [ ] open\n- [x] done\n- [y] none") == [
        "[ ] open",
        "[x] done",
        "• [y] none",
    ]


def test_wrapped_items_hang_under_their_text():
    assert shown("1. alpha beta gamma", 12) == ["1. alpha", "   beta", "   gamma"]


def test_quotes_nest():
    assert shown("> one\n> > two\n>\n> three") == ["▎ one", "▎ ▎ two", "▎", "▎ three"]


def test_links_tell_where_they_lead():
    assert shown("[here](https://x.org/a) <https://y.org> ![a cat](c.png)", 80) == [
        "here (https://x.org/a) https://y.org ◙ a cat (c.png)",
    ]
    assert shown("[x.org/a](https://x.org/a)") == ["x.org/a"]
    assert shown("[https://good.org](https://evil.org)", 80) == [
        "https://good.org (https://evil.org)",
    ]


def test_line_ends_of_the_source_are_kept():
    assert shown("The sea,\nthe *sea*\n\n- 北京\n  天气") == [
        *("The sea,", "the sea", "", "• 北京", "  天气"),
    ]


def test_html_is_text():
    assert shown("<p>x</p> <!-- y -->\n\n<script>\nz\n</script>") == [
        *("<p>x</p> <!-- y -->", "", "<script>", "z", "</script>"),
    ]


def test_code_keeps_every_character_and_has_its_language_above():
    code = "x = 'a  b'  # " + "y" * 30

    found = lines(f"```python\n{code}\n\n\tz\n```", 22)

    texts = [line.text for line in found]
    assert texts[0] == " python"
    assert "".join(line.text[line.lead :] for line in found[1:4]) == code
    assert [text[1] for text in texts[2:4]] == ["└", "└"]
    assert texts[4:] == [" ", "     z"]
    assert {line.fill for line in found} == {("fence",)}
    assert styled("```python\nreturn 12\n```")["return"] == ("fence", "keyword")


def test_code_breaks_behind_a_space_and_hangs():
    code = "    total = first_value + second_value"

    found = lines(f"```\n{code}\n```", 30)

    assert [line.text for line in found] == [
        "     total = first_value + ",
        "     └ second_value",
    ]
    assert "".join(line.text[line.lead :] for line in found) == code


def test_the_rest_of_a_line_hangs_in_line_when_a_space_is_at_the_edge():
    code = "total = first_value + second_value + third_value"

    found = lines(f"```\n{code}\n```", 23)

    assert [line.text for line in found] == [
        " total = first_value +",
        " └ second_value + ",
        " └ third_value",
    ]
    kept = "".join((line.glue or "") + line.text[line.lead :] for line in found)
    assert kept == code


@pytest.mark.parametrize("language", ["", "nonsense", "python", "c", "html", "diff"])
def test_code_is_whole_in_any_language(language: str):
    code = "".join(f'\nline {n} /* """ <a b=\'\n\n' for n in range(40))

    found = shown(f"~~~{language}\n{code}~~~", 60)

    assert [text.strip() for text in found[bool(language) :]] == [
        text.strip() for text in code.split("\n")[:-1]
    ]


def test_tables_align_their_columns():
    assert shown("|a|bb|c|\n|:-|-:|:-:|\n|1|2|333|\n|中文|`x`|4|") == [
        " a    │ bb │  c",
        "──────┼────┼─────",
        " 1    │  2 │ 333",
        " 中文 │  x │  4",
    ]


@pytest.mark.parametrize("width", [10, 20, 30, 50, 200])
def test_a_table_fits_the_pane_and_loses_no_word(width: int):
    text = "| name | description |\n|--|--|\n" + (
        "| alpha beta | some words that need a lot of room 中文字很多 |\n" * 3
    )

    found = lines(text, width)

    assert max(cell_len(line.text) for line in found) <= width
    joined = "".join(line.text for line in found).replace(" ", "")
    for word in ["alpha", "some", "room"]:
        assert joined.count(word) == 3 or width < 30


def test_wide_characters_break_anywhere_but_before_closing_marks():
    assert shown("中文段落，也要（換行）。", 8) == [
        "中文段",
        "落，也要",
        "（換",
        "行）。",
    ]
    assert shown("e\u0301" * 3 + "👩‍👩‍👧" * 3, 4) == [
        "e\u0301" * 3,
        "👩‍👩‍👧👩‍👩‍👧",
        "👩‍👩‍👧",
    ] or (all(cell_len(row) <= 4 for row in shown("👩‍👩‍👧" * 3, 4)))


def test_a_long_word_is_chopped_and_a_hard_break_kept():
    assert shown("aaaaabbbbbcc dd  \nee\\\nff", 5) == [
        *("aaaaa", "bbbbb", "cc dd", "ee", "ff"),
    ]


def test_what_a_wrap_swallowed_is_known():
    rows = wrap([("one two  three中文", ())], 5)

    assert "".join((row.glue or "") + row.spans[0][0] for row in rows) == (
        "one two  three中文"
    )


def test_an_open_fence_is_code_while_it_streams():
    open_text = Stream(40)
    open_text.append("text\n\n```python\nreturn 1\n``")
    open_text.update()

    assert [line.text for line in open_text.lines] == [
        *("text", "", " python", " return 1"),
    ]


@pytest.mark.parametrize(
    ("source", "spans"),
    [
        ("It is **bo", [("It is ", ()), ("bo", ("strong",))]),
        ("It is **bold*", [("It is ", ()), ("bold", ("strong",))]),
        ("It is **", [("It is", ())]),
        ("call `f(", [("call ", ()), ("f(", ("code",))]),
        ("2**3 and", [("2**3 and", ())]),
        ("`**` and", [("**", ("code",)), (" and", ())]),
    ],
)
def test_marks_whose_other_half_is_to_come_do_not_show(source: str, spans: list):
    open_text = Stream(40)
    open_text.append(source)
    open_text.update()

    assert list(open_text.lines[0].spans) == spans


def test_a_list_below_a_line_makes_no_heading_of_it():
    open_text = Stream(40)
    open_text.append("Things:\n-")
    open_text.update()

    assert open_text.lines[0].spans == (("Things:", ()),)


LARGE = {
    "paragraph": "Plain words, then **bold ones** and `code` and plain text again. ",
    "open mark": "Plain words, then *open * stars [ and plain text again. ",
    "short lines": "Some plain words, then **bold ones** and\n",
    "table": "| some text | **1234** |\n",
    "list": "- item with **bold** text\n  - nested one\n",
    "nested": "  - item with **bold** text and more\n",
    "quote": "> quoted text with **bold** words\n",
    "code": "def f(x): return [i for i in range(x)]\n",
}
START = {"table": "|a|b|\n|-|-|\n", "nested": "- x\n", "code": "```python\n"}


@pytest.mark.parametrize("kind", LARGE)
def test_a_large_block_costs_the_same_at_its_end(
    kind: str, monkeypatch: pytest.MonkeyPatch
):
    """Counts the characters parsed or coloured: time is too noisy to judge by."""
    work = 0

    def counted(function):
        def count(source, *rest):
            nonlocal work
            work += len(source) if isinstance(source, str) else sum(map(len, source))
            return function(source, *rest)

        return count

    from tui.app.markdown import code

    monkeypatch.setattr(stream, "parse", counted(stream.parse))
    monkeypatch.setattr(growing, "parse", counted(growing.parse))
    monkeypatch.setattr(growing, "parse_inline", counted(growing.parse_inline))
    monkeypatch.setattr(code, "highlight", counted(code.highlight))
    text = (START.get(kind, "") + LARGE[kind] * 1500)[:25_000]
    growing_text = Stream(80)
    costs: list[int] = []
    for start in range(0, 25_000, 5000):
        before = work
        for position in range(start, start + 5000, 25):
            growing_text.append(text[position : position + 25])
            growing_text.update()
        costs.append(work - before)

    assert costs[4] < 1.5 * costs[1]
    assert sum(costs) < 100 * len(text)
