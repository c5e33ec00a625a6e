"""How many words a reasoning has, in any language and in any pieces."""

import pytest

from tui.app.transcript.word_count import WordCount


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one", 1),
        ("Let me think, it's 3.14.", 5),
        ("先看那边的时间。", 7),
        ("用 Python 写，好吗？", 5),
        ("東京は今、何時ですか", 9),
        ("a\n\n b  ", 2),
    ],
)
def test_words_and_chinese_characters_count(text: str, words: int) -> None:
    assert WordCount(text).count == words

    in_pieces = WordCount()
    for character in text:
        in_pieces.add(character)
    assert in_pieces.count == words
