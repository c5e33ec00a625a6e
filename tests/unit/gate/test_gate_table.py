"""Every row of the table of formats, written by hand as its model writes it.

Each example is fed whole, by single characters and cut at every place; what comes out
is compared with what the policies say, never with another run of the gate.
"""

import pytest
from support.gate_rows import (
    BARE,
    CODE,
    FAMILIES,
    IN_PROSE,
    NONE,
    ROME,
    ROWS,
    TYPES,
    Calls,
    Outcome,
    outcome,
    run,
)


def _lead(family: str, text: str) -> str:
    """Return how a message of this family starts with the text."""
    return f"all\n{text}" if family == "functionary_v32" else text


def _then(family: str, text: str, calls: Calls) -> str:
    """Return text with calls behind it."""
    between = ">>>" if family == "functionary_v32" else ""
    return f"{_lead(family, text)}\n{between}{ROWS[family].write(calls)}"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("calls", [ROME, NONE, TYPES, ROME + NONE, NONE + TYPES + ROME])
def test_a_call_is_found_and_nothing_of_it_is_seen(family: str, calls: Calls) -> None:
    came = outcome(family, ROWS[family].write(calls))

    assert came == Outcome(came.text, "", calls, [])
    assert came.text.strip() == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_text_before_a_call_is_seen_as_it_is(family: str) -> None:
    came = outcome(family, _then(family, "If x < 3 and [y], é {z}:", ROME))

    assert came == Outcome(came.text, "", ROME, [])
    assert came.text.rstrip() == "If x < 3 and [y], é {z}:"


@pytest.mark.parametrize("family", FAMILIES)
def test_text_after_a_call_is_seen(family: str) -> None:
    lead = {"harmony": "<|start|>assistant<|channel|>final<|message|>"}
    lead["functionary_v32"] = "\n>>>all\n"
    text = ROWS[family].write(ROME) + lead.get(family, "\n") + "It is <b>20</b> °C."

    came = outcome(family, text)

    assert came == Outcome(came.text, "", ROME, [])
    assert came.text.strip() == "It is <b>20</b> °C."


@pytest.mark.parametrize("family", FAMILIES)
def test_a_closer_inside_an_argument_does_not_close(family: str) -> None:
    code = f"{CODE} {ROWS[family].closer}\n'''`"
    calls = [("run_python", {"code": code}), *NONE]

    came = outcome(family, _then(family, "Go.", calls))

    assert came == Outcome(came.text, "", calls, [])
    assert came.text.strip() == "Go."


@pytest.mark.parametrize("family", [f for f in FAMILIES if ROWS[f].closer])
def test_the_end_of_the_stream_closes_a_whole_payload(family: str) -> None:
    row = ROWS[family]
    text = row.write(ROME).removesuffix(row.closer)

    for part in (row.closer[:i] for i in range(len(row.closer))):
        came = run(family, list(text + part))

        calls, errors = (ROME, []) if row.unclosed else ([], ["truncated"])
        assert came == Outcome("", "", calls, errors), part


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stream_cut_behind_a_whole_call_has_it_and_no_fault(family: str) -> None:
    text = ROWS[family].write(ROME)

    came = [run(family, [text[:i]]) for i in range(len(text) + 1)]

    whole = [(one.calls, one.errors) == (ROME, []) for one in came]
    assert all(whole[whole.index(True) :]), text[: whole.index(True)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stream_cut_inside_a_call_shows_none_of_it(family: str) -> None:
    row = ROWS[family]
    start = _then(family, "Hi.", [("get_weather", {"city": "Reykjavik"})])
    text = start[: start.index("javik")]

    came = outcome(family, text)

    assert came == Outcome(came.text, "", [], ["truncated"])
    assert came.text.strip() == "Hi."
    assert row.write(ROME) not in came.text


@pytest.mark.parametrize("family", FAMILIES)
def test_a_call_cut_short_keeps_those_before_it(family: str) -> None:
    two = ROWS[family].write([*ROME, ("get_weather", {"city": "Reykjavik"})])

    came = outcome(family, two[: two.index("javik")])

    assert (came.calls, came.errors) == (ROME, ["truncated"])
    assert came.text.strip() == ""


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - set(BARE)))
def test_a_malformed_call_is_hidden_and_the_text_after_it_is_not(family: str) -> None:
    row = ROWS[family]
    written = row.write(ROME)
    assert row.breaks[0] in written
    wrong = written.replace(*row.breaks)
    lead = {"harmony": "<|start|>assistant<|channel|>final<|message|>"}
    lead["functionary_v32"] = "\n>>>all\n"

    came = outcome(family, f"{wrong}{lead.get(family, chr(10))}Sorry.")

    if "'" in row.breaks:
        # Without its quotes the value is a name, which is no literal.
        assert "city=Rome" in wrong
    assert came == Outcome(came.text, "", [], ["malformed"])
    assert came.text.strip() == "Sorry."


@pytest.mark.parametrize("family", BARE)
def test_a_malformed_call_without_a_marker_is_text_if_text_follows(family: str) -> None:
    wrong = ROWS[family].write(ROME).replace(*ROWS[family].breaks)

    alone = outcome(family, f"Hi.\n{wrong}\n")
    spoken_of = outcome(family, f"Hi.\n{wrong}\nSorry.")

    assert alone == Outcome(alone.text, "", [], ["malformed"])
    assert alone.text.strip() == "Hi."
    assert spoken_of == Outcome(f"Hi.\n{wrong}\nSorry.", "", [], [])


@pytest.mark.parametrize("family", IN_PROSE)
def test_without_tools_a_call_is_text(family: str) -> None:
    text = f"So:\n{ROWS[family].write(ROME + NONE)}\nThat is it."

    came = outcome(family, text, tools=None)

    if ROWS[family].framed:
        assert came == Outcome("So:\n\nThat is it.", "", ROME + NONE, [])
    else:
        assert came == Outcome(text, "", [], [])


@pytest.mark.parametrize("family", [f for f in IN_PROSE if ROWS[f].marker])
def test_a_marker_alone_is_text(family: str) -> None:
    marker = ROWS[family].marker
    text = f"The marker `{marker}` starts it; {marker} , {marker}; {marker[:-1]} x."

    assert outcome(family, text) == Outcome(text, "", [], [])


@pytest.mark.parametrize("family", [f for f in IN_PROSE if ROWS[f].marker])
def test_the_beginning_of_a_marker_at_the_end_is_text(family: str) -> None:
    for i in range(1, len(ROWS[family].marker) - 1):
        text = f"It is 3 {ROWS[family].marker[:i]}"

        assert run(family, list(text)) == Outcome(text, "", [], []), text


@pytest.mark.parametrize(
    "family", [f for f in IN_PROSE if ROWS[f].closer and ROWS[f].marker]
)
def test_a_stream_that_ends_after_the_marker_is_cut_off(family: str) -> None:
    # A tool's name or another word comes directly after some.
    spaces = ("",) if ROWS[family].marker[-1] in '=:"' else ("", " ", "\n")
    for space in spaces:
        text = f"Hi. {ROWS[family].marker}{space}"

        assert run(family, list(text)) == Outcome("Hi. ", "", [], ["truncated"]), text


@pytest.mark.parametrize("family", IN_PROSE)
@pytest.mark.parametrize("fence", ["```", "~~~~", "  ```text"])
def test_a_fence_quotes_a_call(family: str, fence: str) -> None:
    row = ROWS[family]
    end = fence.strip().removesuffix("text")
    text = f"So:\n{fence}\n{row.write(ROME)}\n{end}\nThat is it."

    assert outcome(family, text) == Outcome(text, "", [], [])


@pytest.mark.parametrize("family", IN_PROSE)
def test_after_a_fence_a_call_is_a_call(family: str) -> None:
    text = f"So:\n```\nx = `1`\n```\n{ROWS[family].write(ROME)}"

    came = outcome(family, text)

    assert (came.calls, came.errors) == (ROME, [])
    assert came.text.strip() == "So:\n```\nx = `1`\n```"


THINKERS = [f for f in FAMILIES if ROWS[f].think]


@pytest.mark.parametrize("family", THINKERS)
def test_reasoning_is_told_apart(family: str) -> None:
    begin, end = ROWS[family].think or ("", "")
    call = ROWS[family].write(ROME)

    came = outcome(family, f"{begin}\n3 < 5?\n{end}\n\nLet me see.\n{call}")

    assert came == Outcome(came.text, "\n3 < 5?\n", ROME, [])
    assert came.text.strip() == "Let me see."


@pytest.mark.parametrize("family", THINKERS)
def test_the_prompt_may_have_opened_the_reasoning(family: str) -> None:
    _, end = ROWS[family].think or ("", "")
    call = ROWS[family].write(ROME)

    came = outcome(family, f"\n3 < 5?\n{end}\n{call}", reasoning_open=True)

    assert came == Outcome(came.text, "\n3 < 5?\n", ROME, [])


@pytest.mark.parametrize("family", THINKERS)
def test_a_call_in_closed_reasoning_is_reasoning(family: str) -> None:
    begin, end = ROWS[family].think or ("", "")
    draft = f"Shall I\n{ROWS[family].write(ROME)}\nsay? No."

    came = outcome(family, f"{begin}{draft}{end}It is noon.")

    if ROWS[family].framed:
        assert came == Outcome("\nsay? No.It is noon.", "Shall I\n", ROME, [])
    else:
        assert came == Outcome("It is noon.", draft, [], [])


@pytest.mark.parametrize("family", THINKERS)
def test_a_call_ends_reasoning_that_is_never_closed(family: str) -> None:
    begin, _ = ROWS[family].think or ("", "")

    came = outcome(family, f"{begin}I look it up.\n{ROWS[family].write(ROME)}")

    assert came == Outcome("", "I look it up.\n", ROME, [])


@pytest.mark.parametrize("family", THINKERS)
def test_reasoning_cut_short_says_so(family: str) -> None:
    begin, _ = ROWS[family].think or ("", "")

    came = outcome(family, f"{begin}Hmm, 1 <")

    assert came == Outcome("", "Hmm, 1 <", [], [], in_reasoning=True)


def test_every_row_is_tried() -> None:
    from tui.models.gate.dialects.registry import DIALECTS

    assert sorted(DIALECTS) == FAMILIES
