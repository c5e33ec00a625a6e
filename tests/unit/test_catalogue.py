"""The catalogues have every word of the app, and translate it."""

import re
from string import Formatter

import catalogue
import pytest
from catalogue import CATALOGUES, Entry
from support import ui_text

PERCENT = re.compile(r"%(?:\(\w+\))?[sr]")
BOTH = pytest.mark.parametrize("file", CATALOGUES, ids=lambda f: f.parts[-3])


def placeholders(text):
    named = [
        (name, spec, conversion)
        for _, name, spec, conversion in Formatter().parse(text)
        if name is not None
    ]
    return set(named) | set(PERCENT.findall(text))


def test_no_text_of_the_app_is_outside_of_the_catalogue():
    """Wrap a text of the user's in `_()`, or list it in support/ui_text.toml."""
    assert list(ui_text.unmarked()) == []


def test_a_text_that_is_not_marked_is_found():
    code = 'def f(x):\n    """A docstring."""\n    hint(f"{x} files are new")\n'

    found = list(ui_text.texts("tui/app/x.py", ui_text.ast.parse(code)))

    assert [(text.words, text.at_import) for text in found] == [
        ("{} files are new", False)
    ]


@BOTH
def test_each_message_is_translated(file):
    known = {entry.id: entry for entry in catalogue.read(file.read_text("utf-8"))}
    wanted = catalogue.messages()

    assert [id for id in wanted if id not in known or not known[id].done] == []
    assert [id for id in known if id and id not in wanted] == []


@BOTH
def test_a_translation_has_the_placeholders_of_its_message(file):
    entries = catalogue.read(file.read_text("utf-8"))[1:]

    assert [
        entry.id
        for entry in entries
        for text in entry.texts
        if placeholders(text) != placeholders(entry.plural or entry.id)
    ] == []


@BOTH
def test_the_compiled_catalogue_is_that_of_the_text(file):
    entries = catalogue.read(file.read_text("utf-8"))

    assert file.with_suffix(".mo").read_bytes() == catalogue.compiled(entries)
    assert catalogue.write(entries) == file.read_text("utf-8")


def test_the_note_on_a_missing_starter_is_recognised_in_each_language():
    """The first screen looks for the words "not installed" in it."""
    from tui.models.catalog import NO_STARTER_NOTE

    assert "not installed" in NO_STARTER_NOTE
    for file in CATALOGUES:
        known = {entry.id: entry for entry in catalogue.read(file.read_text("utf-8"))}
        words = known["not installed"].texts[0]
        assert words in known[NO_STARTER_NOTE].texts[0]


def test_a_changed_message_keeps_its_translation_as_fuzzy():
    head = Entry("", texts=["Plural-Forms: nplurals=1; plural=0;\n"])
    old = [head, Entry("The file cannot be read: {why}", texts=["Nein: {why}"])]
    found = {id: Entry(id) for id in ("The file cannot be read: {error}", "New")}

    changed, new = catalogue.updated(old, found)[1:]

    assert (changed.texts, changed.fuzzy) == (["Nein: {why}"], True)
    assert (new.texts, new.fuzzy) == ([""], False)
    assert not changed.done
    assert not new.done


def test_a_catalogue_is_read_as_it_was_written():
    entries = [
        Entry("", texts=["Language: x\n"]),
        Entry(
            'one "{x}"\n', "many\t\\", ["eins\x1b", "viele"], ["a.py"], True, ["# n"]
        ),
        Entry("b\nc", texts=["d"]),
    ]

    assert catalogue.read(catalogue.write(entries)) == entries
