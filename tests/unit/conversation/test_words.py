"""What a text is cut into, and what a query asks for."""

from time import thread_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.eventlog.sqlite import projections
from tui.eventlog.sqlite.search_terms import LONGEST, fold, needles, normal, terms


def whole(text):
    """Return the terms without the marked beginnings and spelled punctuation."""
    return {
        term for term in terms(text) if not any("\ue000" <= c <= "\uf8ff" for c in term)
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hello, World!", {"hello", "world"}),
        ("foo_bar", {"foo", "bar"}),
        ("getUserName", {"getusername", "get", "user", "name"}),
        ("HTTPServer2", {"httpserver2", "http", "server", "2"}),
        ("std::vector", {"std", "vector"}),
        ("Café NAÏVE Straße", {"cafe", "naive", "strasse"}),
        ("ＡＢＣ １２", {"abc", "12"}),
        ("中文字", {"中", "文", "字", "中文", "文字"}),
        ("用GPT模型", {"用", "gpt", "模", "型", "模型"}),
        ("ガラス", {"ガ", "ラ", "ス", "ガラ", "ラス"}),
        ("한국", {"한", "국", "한국"}),
        ("ไทย", {"ไ", "ท", "ย", "ไท", "ทย"}),
        ("हिन्दी", {"हिन्दी"}),
        ("don’t", {"don", "t"}),
        ("I ♥ 🍜", {"i", "♥", "🍜"}),
        ("", set()),
        (" \n\t ", set()),
        (". , +", set()),
    ],
)
def test_what_a_text_is_found_by(text, found):
    assert whole(text) == found


@given(st.text())
def test_terms_are_those_of_the_same_text_in_another_form(text):
    import unicodedata

    assert terms(text) == terms(
        unicodedata.normalize("NFD", unicodedata.normalize("NFC", text))
    )


@given(st.text(), st.text())
def test_folding_goes_character_by_character(a, b):
    assert fold(a + b) == fold(a) + fold(b)


# Without their stroke these three are ASCII; a search for them reads the messages.
@example("⑴℀")
@given(st.text(st.characters(exclude_characters="≠≮≯", exclude_categories=["Cs"])))
def test_a_term_is_one_for_the_index_too(text):
    """It cuts at what is ASCII and neither letter nor digit, and at nothing else."""
    for term in terms(text):
        assert all(c.isalnum() or c > "\x7f" for c in term), term
        assert 0 < len(term) <= LONGEST


@given(st.text(max_size=40))
def test_a_text_has_every_word_that_it_is_asked_for(text):
    found = terms(text)
    folded = fold(normal(text))
    for needle in needles(text + " "):
        asked = needle.expression.removeprefix('"').removesuffix('"').split('" AND "')
        assert set(asked) <= found, needle
        assert needle.pattern.search(folded) or needle.loose.search(folded)


@pytest.mark.parametrize("query", ["", "  ", '"', '""', "*", "+", '" "', "。"])
def test_what_has_nothing_to_look_for_asks_nothing(query):
    assert needles(query) == []


@pytest.mark.parametrize(
    ("query", "expressions"),
    [
        ("two words ", ['"two"', '"words"']),
        ("the wor", ['"the"', '("wor" OR "wor\ue000")']),
        ("the word", ['"the"', '"word" *']),
        ("the wo", ['"the"', '"wo"']),
        ('"the word"', ['"the" AND "word"']),
        ('"the word', ['"the" AND "word" *']),
        ('"the word ', ['"the" AND "word"']),
        ("NOT a AND", ['"not"', '"a"', '("and" OR "and\ue000")']),
        ("text:NEAR(a b) ", ['"text" AND "near" AND "a"', '"b"']),
        ("中文字", ['"中文" AND "文字"']),
        ("GPT模型", ['"gpt"', '"模型"']),
        ("word* ", ['"word"']),
        ("what? ", ['"what"']),
    ],
)
def test_what_a_query_asks_the_index(query, expressions):
    assert [needle.expression for needle in needles(query)] == expressions


def test_a_long_text_has_the_terms_of_all_its_words():
    """It is looked through in pieces, so that others come to run between them."""
    text = " ".join(f"word{number} 独特针 a->b" for number in range(30_000))

    assert projections.terms_of(text) == terms(text)


def test_a_text_of_a_few_signs_costs_little():
    """The log waits for it, and with the log the end of an answer that is stopped."""
    for sign in ("言葉😀 ", "[" * 9, "work-play\n"):
        text = sign * 300_000
        begun = thread_time()
        found = terms(text)

        assert thread_time() - begun < 0.8
        assert found == terms(sign * 2)
