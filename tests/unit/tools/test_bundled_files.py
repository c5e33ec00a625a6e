"""The bundled tools that read, list and search: what they show, and what they refuse.

The refusals are a corpus of paths that lead, or seem to lead, out of the folders.
"""

import os
import socket
from pathlib import Path

import pytest

from tui.errors import ToolError
from tui.tools.bundled import searching
from tui.tools.bundled.confined import Folders
from tui.tools.bundled.reading import Reading
from tui.tools.bundled.searching import Searching
from tui.tools.bundled.writing import Writing

SECRET = "the secret outside"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is allowed, beside one that is not."""
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "tools").mkdir(parents=True)
    (tmp_path / "home" / "keys.toml").write_text(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text(SECRET)
    (tmp_path / "work-too").mkdir()
    (tmp_path / "work-too" / "secret.txt").write_text(SECRET)
    work = tmp_path / "work"
    (work / "src" / "deep").mkdir(parents=True)
    (work / "src" / "main.py").write_text("import os\nprint('hello')\n")
    (work / "notes.txt").write_text("".join(f"line {n}\n" for n in range(1, 11)))
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def reading(work: Path) -> Reading:
    return Reading(Folders())


# -- reading


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("notes.txt", "line 1"),
        ("./notes.txt", "line 1"),
        ("src/main.py", "import os"),
        ("src//main.py", "import os"),
        ("src/../notes.txt", "line 1"),
        ("src/deep/../../notes.txt", "line 1"),
        ("WORK/src/main.py", "import os"),
    ],
)
def test_a_file_in_the_folder_is_read(work: Path, reading: Reading, path, first):
    text = reading.read_file(path.replace("WORK", str(work)))

    assert text.splitlines()[0] == first


def test_some_lines_are_read_with_their_place(reading: Reading):
    text = reading.read_file("notes.txt", 3, 2)

    assert text == "line 3\nline 4\n[lines 3 to 4 of 10]"


def test_a_line_behind_the_end_is_an_error(reading: Reading):
    with pytest.raises(ToolError, match="has only 10 lines"):
        reading.read_file("notes.txt", 11)


def test_a_long_file_is_read_in_whole_lines(work: Path, reading: Reading):
    (work / "long.txt").write_text("".join(f"{n:098d}\n" for n in range(1, 401)))

    text = reading.read_file("long.txt")

    *lines, told = text.splitlines()
    assert all(len(line) == 98 for line in lines)
    assert told == f"[lines 1 to {len(lines)} of 400]"
    assert len(text) < 20_000


def test_a_byte_order_mark_and_an_empty_file_are_no_trouble(work, reading: Reading):
    (work / "bom.txt").write_bytes(b"\xef\xbb\xbfhello\n")
    (work / "empty.txt").write_bytes(b"")

    assert reading.read_file("bom.txt") == "hello"
    assert reading.read_file("empty.txt") == "[the file is empty]"


@pytest.mark.parametrize(
    ("target", "path"),
    [("src/main.py", "link"), ("src", "link/main.py"), ("WORK/src", "link/main.py")],
)
def test_a_link_within_the_folder_is_followed(work: Path, reading, target, path):
    (work / "link").symlink_to(target.replace("WORK", str(work)))

    assert reading.read_file(path).startswith("import os")


def test_a_link_with_dots_is_followed_from_where_it_is(work: Path, reading: Reading):
    (work / "src" / "deep" / "up").symlink_to("../main.py")

    assert reading.read_file("src/deep/up").startswith("import os")


# -- what is refused

ESCAPES = [
    "..",
    "../",
    "../outside/secret.txt",
    "./../outside/secret.txt",
    "src/../../outside/secret.txt",
    "src/deep/../../../outside/secret.txt",
    "src/..//../outside/secret.txt",
    "notes.txt/../../outside/secret.txt",
    "missing/../../outside/secret.txt",
    "../work-too/secret.txt",
    "TMP/outside/secret.txt",
    "TMP/work-too/secret.txt",
    "WORK/../outside/secret.txt",
    "WORK/src/../../outside/secret.txt",
    "//TMP/outside/secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "/./etc/passwd",
    "/",
    "~/.bashrc",
    "~",
    "~root/.bashrc",
    "/proc/self/environ",
    "/proc/self/root/etc/passwd",
    "/proc/self/cwd/../outside/secret.txt",
    "/proc/self/fd/0",
    "/dev/stdin",
    "/dev/fd/0",
    "file:///etc/passwd",
    "notes.txt\0/../../etc/passwd",
    "\0",
    "a/" * 3000,
    "\ud800",
    "..\\outside\\secret.txt",
    "%2e%2e/outside/secret.txt",
    "．．/outside/secret.txt",
    "..;/outside/secret.txt",
    # Through links, made by the fixture `traps`:
    "to-file",
    "to-folder/secret.txt",
    "to-absolute",
    "to-dots/outside/secret.txt",
    "to-root/etc/passwd",
    "to-proc/environ",
    "to-fd",
    "chain",
    "loop",
    "loop/secret.txt",
    "in/../../outside/secret.txt",
    "src/to-far/secret.txt",
    "to-home/keys.toml",
    "dangling",
    "pipe",
    "socket",
    "to-null",
    "to-zero",
    "folder-pipe/pipe",
    "binary",
    "latin1",
]


@pytest.fixture
def traps(work: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    for name, target in {
        "to-file": outside / "secret.txt",
        "to-folder": outside,
        "to-absolute": "/etc/passwd",
        "to-dots": "..",
        "to-root": "/",
        "to-proc": "/proc/self",
        "to-fd": "/dev/fd/0",
        "chain": "chain2",
        "chain2": "src/../../outside/secret.txt",
        "loop": "loop2",
        "loop2": "loop",
        "in": "src",
        "src/to-far": "../../outside",
        "to-home": tmp_path / "home",
        "dangling": "nothing",
        "to-null": "/dev/null",
        "to-zero": "/dev/zero",
    }.items():
        (work / name).symlink_to(target)
    os.mkfifo(work / "pipe")
    (work / "folder-pipe").mkdir()
    os.mkfifo(work / "folder-pipe" / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")
    (work / "binary").write_bytes(b"\x7fELF\0\0\1")
    (work / "latin1").write_bytes("café".encode("latin-1"))


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.usefixtures("traps")
def test_no_path_leads_out(tmp_path: Path, work: Path, reading: Reading, path: str):
    path = path.replace("TMP", str(tmp_path)).replace("WORK", str(tmp_path / "work"))
    writing = Writing(Folders())

    with pytest.raises(ToolError) as read:
        reading.read_file(path)
    with pytest.raises(ToolError) as edited:
        writing.edit_file(path, "secret", "known")

    for error in (read, edited):
        said = str(error.value)
        assert SECRET not in said
        assert said.isprintable()
        assert len(said) < 1000
    assert (tmp_path / "outside" / "secret.txt").read_text() == SECRET
    assert (tmp_path / "home" / "keys.toml").read_text() == SECRET


@pytest.mark.parametrize(
    "path",
    [
        *("../new.txt", "TMP/outside/new.txt", "to-folder/new.txt", "to-dots/new.txt"),
        *("../outside/new/new.txt", "to-home/tools/new.txt", "src/to-far/new/new.txt"),
        *("to-file", "pipe", "socket", "to-null", "src", ".", "binary/new.txt", "loop"),
    ],
)
@pytest.mark.usefixtures("traps")
def test_nothing_is_written_outside(tmp_path: Path, path: str):
    path = path.replace("TMP", str(tmp_path)).replace("WORK", str(tmp_path / "work"))
    before = sorted(
        p for p in tmp_path.rglob("*") if tmp_path / "work" not in p.parents
    )

    with pytest.raises(ToolError):
        Writing(Folders()).write_file(path, "new")

    after = sorted(p for p in tmp_path.rglob("*") if tmp_path / "work" not in p.parents)
    assert after == before
    assert (tmp_path / "outside" / "secret.txt").read_text() == SECRET


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("pipe", "pipe is a pipe, not a regular file"),
        ("socket", "socket is a socket, not a regular file"),
        ("src", "src is a folder; list_folder shows what is in it"),
        ("binary", "binary is a binary file"),
        ("latin1", "latin1 is not UTF-8 text"),
        ("nothing", "nothing: no such file"),
        ("no/thing", "no/thing: no such folder"),
        ("loop", "loop leads through too many links"),
        ("\x1b[2J", "␛[2J: no such file"),
    ],
)
@pytest.mark.usefixtures("traps")
def test_a_refusal_says_why(reading: Reading, path, why):
    with pytest.raises(ToolError) as error:
        reading.read_file(path)

    assert str(error.value) == why


def test_a_refusal_names_the_allowed_folder(work: Path, reading: Reading):
    with pytest.raises(ToolError) as error:
        reading.read_file("/etc/passwd")

    said = f"/etc/passwd is outside of the allowed folders: {work}"
    assert str(error.value) == said


def test_a_folder_that_becomes_a_link_is_not_entered(
    tmp_path: Path, work: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
):
    """Between the look at `src` and its opening, another program replaces it."""
    real = os.readlink

    def replace_after(path, *, dir_fd=None):
        try:
            return real(path, dir_fd=dir_fd)
        finally:
            if path == "src" and not (work / "src").is_symlink():
                (work / "src").rename(work / "was")
                (work / "src").symlink_to(tmp_path / "outside")

    monkeypatch.setattr(os, "readlink", replace_after)

    with pytest.raises(ToolError):
        reading.read_file("src/secret.txt")
    assert (work / "src").is_symlink()


def test_a_file_that_becomes_a_link_is_not_read(
    tmp_path: Path, work: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
):
    real = os.stat

    def replace_after(path, *args, **options):
        found = real(path, *args, **options)
        if path == "notes.txt" and not (work / "notes.txt").is_symlink():
            (work / "notes.txt").unlink()
            (work / "notes.txt").symlink_to(tmp_path / "outside" / "secret.txt")
        return found

    monkeypatch.setattr(os, "stat", replace_after)

    with pytest.raises(ToolError, match="is a link, not a regular file"):
        reading.read_file("notes.txt")


def test_a_file_that_is_too_large_is_refused(work: Path, reading: Reading):
    with (work / "large").open("wb") as file:
        file.truncate(3_000_000_000)  # sparse

    with pytest.raises(ToolError, match="larger than 20 MB"):
        reading.read_file("large")


def test_no_file_of_lazychat_itself_is_used(tmp_path: Path, work: Path):
    above = Folders([str(tmp_path)])

    for path in ("home/keys.toml", "home/tools/x.py", "home", "home/new/x"):
        with pytest.raises(ToolError, match="belongs to lazychat"):
            Reading(above).read_file(path)
        with pytest.raises(ToolError, match="belongs to lazychat"):
            Writing(above).write_file(path, "x")


@pytest.mark.parametrize("path", ["keys.toml", "config.toml", "lazychat.db", "."])
def test_no_file_of_lazychat_is_used_from_within_its_folder(
    tmp_path: Path, work: Path, path: str
):
    home = tmp_path / "home"
    (home / "config.toml").write_text(SECRET)
    (home / "lazychat.db").write_text(SECRET)
    within = Folders([str(home)])

    for use in (
        lambda: Reading(within).read_file(path),
        lambda: Reading(within).list_folder(path),
        lambda: Searching(within).search_text("s", path),
        lambda: Writing(within).write_file(path, "x"),
    ):
        with pytest.raises(ToolError, match="belongs to lazychat"):
            use()


def test_several_folders_are_allowed(tmp_path: Path, work: Path):
    reading = Reading(Folders([str(work), str(tmp_path / "outside")]))

    assert reading.read_file("notes.txt", 1, 1).startswith("line 1")
    assert reading.read_file(str(tmp_path / "outside" / "secret.txt")) == SECRET
    with pytest.raises(ToolError, match="outside"):
        reading.read_file(str(tmp_path / "work-too" / "secret.txt"))


def test_a_link_in_the_path_of_the_folder_itself_is_fine(tmp_path: Path, work: Path):
    (tmp_path / "alias").symlink_to(work)
    reading = Reading(Folders([str(tmp_path / "alias")]))

    assert reading.read_file("notes.txt", 1, 1).startswith("line 1")
    assert reading.read_file(str(work / "notes.txt"), 1, 1).startswith("line 1")


def test_no_descriptor_stays_open(tmp_path: Path, work: Path, reading: Reading):
    before = len(list(Path("/proc/self/fd").iterdir()))

    for path in ("src/main.py", "../x", "src/nothing", "notes.txt/x"):
        try:
            reading.read_file(path)
        except ToolError:
            continue

    assert len(list(Path("/proc/self/fd").iterdir())) == before


# -- listing


def test_a_folder_is_listed(work: Path, reading: Reading):
    (work / "link").symlink_to("/etc")
    os.mkfifo(work / "pipe")

    assert reading.list_folder() == (
        "link -> /etc\nnotes.txt  71 bytes\npipe  (not a regular file)\nsrc/"
    )


def test_a_folder_is_listed_with_what_is_in_it(reading: Reading):
    assert reading.list_folder("src/..", 2).splitlines()[1:] == [
        "src/",
        "  deep/",
        "  main.py  25 bytes",
    ]


def test_odd_names_are_listed_in_one_line(work: Path, reading: Reading):
    (work / "src" / "a\nb\x1b[2J").touch()
    os.close(os.open(bytes(work / "src") + b"/\xff.txt", os.O_CREAT))

    lines = reading.list_folder("src").splitlines()

    assert lines == [
        "a b␛[2J  0 bytes",
        "deep/",
        "main.py  25 bytes",
        "\ufffd.txt  0 bytes",
    ]


def test_a_large_folder_is_cut(work: Path, reading: Reading):
    for n in range(600):
        (work / "src" / "deep" / f"{n}").touch()

    lines = reading.list_folder("src/deep").splitlines()

    assert len(lines) == 501
    assert lines[-1] == "[more than 500 entries]"


def test_an_empty_folder_says_so(reading: Reading):
    assert reading.list_folder("src/deep") == "[the folder is empty]"


# -- searching


@pytest.fixture(params=["rg", "python"])
def search(request, work: Path, monkeypatch: pytest.MonkeyPatch) -> Searching:
    found = searching.shutil.which("rg")
    if request.param == "rg" and not found:
        pytest.skip("ripgrep is not installed")
    if request.param == "python":
        monkeypatch.setattr(searching.shutil, "which", lambda name: None)
    return Searching(Folders())


def test_lines_are_found_with_their_place(work: Path, search: Searching):
    assert search.search_text("hello") == "src/main.py:2:print('hello')"
    assert search.search_text("HELLO", ignore_case=True).startswith("src/main.py:2:")
    assert search.search_text("HELLO") == "[nothing found]"
    assert search.search_text("line 1", files="*.txt").splitlines() == [
        "notes.txt:1:line 1",
        "notes.txt:10:line 10",
    ]
    assert search.search_text("hello", "src") == "main.py:2:print('hello')"


def test_an_expression_is_one_only_if_asked(search: Searching):
    assert search.search_text("l.ne 3") == "[nothing found]"
    assert search.search_text("l.ne 3", regex=True) == "notes.txt:3:line 3"
    with pytest.raises(ToolError, match="cannot be searched for: "):
        search.search_text("(", regex=True)


@pytest.mark.usefixtures("traps")
def test_only_regular_files_within_are_searched(search: Searching):
    assert search.search_text("secret") == "[nothing found]"
    with pytest.raises(ToolError, match="outside"):
        search.search_text("secret", "..")
    with pytest.raises(ToolError, match="outside"):
        search.search_text("secret", "to-folder")


@pytest.mark.parametrize("own", ["keys.toml", "config.toml", "lazychat.db"])
def test_another_name_of_a_file_of_lazychat_is_no_way_to_it(
    tmp_path: Path, work: Path, search: Searching, own: str
):
    (tmp_path / "home" / own).write_text(SECRET)
    (work / "linked").mkdir()
    os.link(tmp_path / "home" / own, work / "linked" / "other.txt")

    assert search.search_text("secret outside") == "[nothing found]"
    with pytest.raises(ToolError, match="belongs to lazychat"):
        Reading(Folders()).read_file("linked/other.txt")


def test_a_name_with_line_ends_is_found_in_one_line(work: Path, search: Searching):
    (work / "a\nb.py:1:\x1b[2J\u202e").write_text("needle in it\x85or not\n")
    (work / "c.txt").write_text("needle too\n")

    assert search.search_text("needle").split("\n") == [
        "a b.py:1:␛[2J:1:needle in it\x85or not",
        "c.txt:1:needle too",
    ]


def test_keys_are_not_found(tmp_path: Path, search: Searching):
    (tmp_path / "home" / "more.txt").write_text(SECRET)
    above = Searching(Folders([str(tmp_path)]))

    found = above.search_text("secret outside").splitlines()

    assert [line.partition(":")[0] for line in found] == [
        "outside/secret.txt",
        "work-too/secret.txt",
    ]


@pytest.mark.parametrize("name", ["[h]ome", "h*", "{a,b}", "wh?t", "!x", "a\\b"])
def test_keys_in_a_folder_of_any_name_are_not_found(
    tmp_path: Path, search: Searching, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv("LAZYCHAT_HOME", str(tmp_path / "work" / name))
    (tmp_path / "work" / name).mkdir()
    (tmp_path / "work" / name / "more.txt").write_text(SECRET)

    assert Searching(Folders()).search_text("secret outside") == "[nothing found]"


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "a{1000}{1000}{1000}{1000}", "regex": True},
        {"text": "x", "files": "[", "regex": False},
        {"text": r"a\nb", "regex": True},
    ],
)
def test_what_ripgrep_refuses_is_an_error_not_a_find(work: Path, wrong):
    if not searching.shutil.which("rg"):
        pytest.skip("ripgrep is not installed")
    with pytest.raises(ToolError, match="cannot be searched for: "):
        Searching(Folders()).search_text(**wrong)


def test_a_text_that_looks_like_an_option_is_a_text(work: Path, search: Searching):
    (work / "options.txt").write_text("use --help or -e\n")

    assert search.search_text("--help") == "options.txt:1:use --help or -e"


def test_many_lines_are_cut(work: Path, search: Searching):
    (work / "many.txt").write_text("needle in the hay\n" * 20_000)

    *lines, told = search.search_text("needle").splitlines()

    assert told == f"[more lines than these {len(lines)}; search for less]"
    assert len(lines) > 100


def test_an_endless_expression_is_ended(work: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(searching.shutil, "which", lambda name: None)
    monkeypatch.setattr(searching, "_SECONDS", 0.5)
    (work / "evil.txt").write_text("a" * 60 + "!\n")

    found = Searching(Folders()).search_text("(a+)+$", regex=True)

    assert found.startswith("[stopped after")


def test_the_preview_names_the_real_path(work: Path, reading: Reading):
    (work / "link").symlink_to("src/main.py")

    preview = reading.read_preview("link")

    assert preview.subject == str(work / "src" / "main.py")
    assert preview.text == f"{work}/src/main.py, lines 1 to 400"
