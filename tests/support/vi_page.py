"""A text with undo, edited with vi keys; and the same in a real vim."""

import subprocess
from pathlib import Path

from tui.app.vi.editor import Editor, Mode


class TextPage:
    """A page of the editor without a widget."""

    def __init__(self, text: str, history: list[str] | None = None) -> None:
        self.text = text
        self.history = history or []
        self.at = len(self.history)
        self.past: list[tuple[str, int]] = []
        self.future: list[tuple[str, int]] = []
        self.depth = 0
        self.before: tuple[str, int] | None = None

    def replace(self, start: int, end: int, insert: str) -> None:
        assert 0 <= start <= end <= len(self.text)
        if self.depth == 0:
            self._note()
        elif self.before is None:
            self.before = self.text, start
        self.text = self.text[:start] + insert + self.text[end:]

    def _note(self) -> None:
        self.past.append((self.text, 0))
        self.future.clear()

    def begin_change(self) -> None:
        if self.depth == 0:
            self.before = None
        self.depth += 1

    def end_change(self) -> None:
        self.depth -= 1
        if self.depth == 0 and self.before and self.before[0] != self.text:
            self.past.append(self.before)
            self.future.clear()

    def undo(self) -> int | None:
        if not self.past:
            return None
        text, place = self.past.pop()
        self.future.append((self.text, place))
        self.text = text
        return place

    def redo(self) -> int | None:
        if not self.future:
            return None
        text, place = self.future.pop()
        self.past.append((self.text, place))
        self.text = text
        return place

    def recall(self, step: int) -> int | None:
        if not 0 <= self.at + step < len(self.history):
            return None
        self.at += step
        self.text = self.history[self.at]
        return 0


def edit(text: str, keys: list[str], at: int = 0) -> tuple[Editor, TextPage]:
    """Press keys in normal mode; letters while inserting are typed."""
    page = TextPage(text)
    editor = Editor(page)
    editor.mode = Mode.NORMAL
    editor.sync(at)
    caret = editor.cursor
    for key in keys:
        if editor.mode is not Mode.INSERT:
            if key == "escape":
                editor.stop()
            else:
                editor.press(key)
            caret = editor.cursor
        elif key == "escape":
            editor.leave_insert(caret)
        else:
            page.replace(caret, caret, key)
            caret += len(key)
    if editor.mode is Mode.INSERT:
        editor.leave_insert(caret)
    editor.stop()
    return editor, page


def in_vim(
    cases: list[tuple[str, list[str], int]], folder: Path
) -> list[tuple[str, int]]:
    """Return text and cursor of each case, after the same keys in vim."""
    script = ["set nocp enc=utf-8 fo= noai nosol& sol tm=1 nojs nofixeol cb= vi= ts=4"]
    for number, (text, keys, at) in enumerate(cases):
        (folder / f"{number}.txt").write_text(text + "\n", "utf-8")
        line = text.count("\n", 0, at) + 1
        byte = len(text[text.rfind("\n", 0, at) + 1 : at].encode()) + 1
        typed = "".join({"escape": "\x1b", "ctrl+r": "\x12"}.get(k, k) for k in keys)
        quoted = "".join(
            f"\\<{'Esc' if c == chr(27) else 'C-r'}>"
            if c in "\x1b\x12"
            else {"\\": "\\\\", '"': '\\"', "\n": "\\<CR>", "<": "\\<lt>"}.get(c, c)
            for c in typed
        )
        script += [
            f"silent! edit! {folder}/{number}.txt",
            "set ul=1000",
            'let @" = ""',
            "silent! call setreg('\"', '', 'c')",
            f"call cursor({line}, {byte})",
            f'call feedkeys("{quoted}\\<Esc>\\<Esc>", "xt")',
            f"call writefile([line('.') . ' ' . col('.')] + getline(1, '$'), "
            f"'{folder}/{number}.out')",
        ]
    (folder / "run.vim").write_text("\n".join([*script, "qa!"]), "utf-8")
    subprocess.run(
        [
            "vim",
            "-u",
            "NONE",
            "-i",
            "NONE",
            "-n",
            "-N",
            "-es",
            "-S",
            f"{folder}/run.vim",
        ],
        check=False,
        timeout=300,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )
    results: list[tuple[str, int]] = []
    for number in range(len(cases)):
        place, *lines = (folder / f"{number}.out").read_text("utf-8").split("\n")[:-1]
        row, column = map(int, place.split())
        before = sum(len(line) + 1 for line in lines[: row - 1])
        inside = lines[row - 1].encode()[: column - 1].decode("utf-8", "replace")
        results.append(("\n".join(lines), before + len(inside)))
    return results
