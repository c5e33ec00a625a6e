"""The recorded session of the README: recorded again, and looked into."""

import importlib
import re
from html import unescape
from pathlib import Path
from types import ModuleType

import pytest
from support import ROOT, ssh

DOCS = ROOT / "docs"


@pytest.fixture
def hangup(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program that records."""
    monkeypatch.syspath_prepend(DOCS)
    return importlib.import_module("hangup")


def letters(text: str) -> str:
    return "".join(text.split())


def test_a_session_recorded_now_comes_back_whole_after_the_cut(
    hangup: ModuleType, ssh_server: ssh.Server, tmp_path: Path
) -> None:
    found = hangup.record(tmp_path, ssh_server, pace=40)

    assert "20." not in found.before
    assert found.cut < found.end
    assert found.ends == ["stop"]
    assert found.stored == hangup.ANSWER
    assert hangup.contains(found.after, hangup.WORDS)
    hangup.check(found)


def test_a_session_that_lost_a_word_is_not_drawn(hangup: ModuleType) -> None:
    words = list(hangup.WORDS)
    good = hangup.Recording(
        [], 1.0, 2.0, ["stop"], words[:9], [], ["$", *words, "ready"], hangup.ANSWER
    )
    hangup.check(good)

    for worse in (
        good._replace(after=["$", *words[:70], *words[71:], "ready"]),
        good._replace(stored=hangup.ANSWER.replace(" somewhere", "")),
        good._replace(stored=hangup.ANSWER[:-1]),
        good._replace(ends=["interrupted"]),
        good._replace(ends=["stop", "stop"]),
        good._replace(before=words),
        good._replace(cut=2.5),
    ):
        with pytest.raises(AssertionError):
            hangup.check(worse)


def test_the_picture_of_the_session_shows_the_whole_answer(hangup: ModuleType) -> None:
    svg = (DOCS / "hangup.svg").read_text("utf-8")
    panels = [letters(unescape(re.sub("<[^>]*>", "", p))) for p in svg.split("<circle")]
    answer = letters(" ".join(hangup.WORDS))

    assert answer in panels[-1]
    assert sum(answer in panel for panel in panels) == 1
    assert "[running,pid" in "".join(panels)
    assert "](hangup.svg)" in (DOCS / "durability.md").read_text("utf-8")


def test_the_animation_of_the_readme_ends_with_the_whole_answer() -> None:
    svg = (DOCS / "cast.svg").read_text("utf-8")
    names = dict(re.findall(r'<g id="(r\d+)">(.*)</g>', svg))
    last = re.findall(r'<g id="f\d+" class="f">.*', svg)[-1]
    rows = [names[name] for name in re.findall(r'href="#(r\d+)"', last)]
    words = letters(unescape(re.sub("<[^>]*>", "", "".join(rows))))

    assert "Thenwipeitsdisks." in words
    assert "wentonwhileyouwereaway" in words
    assert "The connection is lost." in svg
    assert "infinite" in svg
    assert len(svg) < 300_000
    assert "](docs/cast.svg)" in (ROOT / "README.md").read_text("utf-8")
