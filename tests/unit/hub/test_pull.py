"""Downloads by the real huggingface_hub from a server that plays the hub."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.fakes.hub import Hub

from tui import i18n
from tui.errors import Cancelled, ModelError
from tui.models.hub import Checking, Downloading, Pull, Pulled, wanted
from tui.models.hub.progress import progress
from tui.models.hub.pull import Step

pytestmark = [
    pytest.mark.outside,  # a download is a process
    pytest.mark.skipif(
        find_spec("huggingface_hub") is None,
        reason="needs huggingface_hub, of the extra `local`",
    ),
]

REPO = "Qwen/Tiny-GGUF"
NAME = "Tiny-Q4_K_M.gguf"
DATA = b"GGUF" + os.urandom(3_000_000)


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub, and nothing of the user's own cache and token."""
    for name in [it for it in os.environ if it.startswith(("HF_", "HUGGING"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(home / "hf"))
    with Hub({REPO: {NAME: DATA, "Tiny-Q8_0.gguf": DATA[:10]}}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def pulled(spec: str = REPO) -> tuple[list[Step], Pulled]:
    *steps, last = Pull(wanted(spec))
    assert isinstance(last, Pulled)
    return steps, last


def test_a_file_is_downloaded_with_progress_and_checked(hub: Hub, home: Path) -> None:
    steps, last = pulled()

    assert Path(last.path) == home / "models" / REPO / NAME
    assert Path(last.path).read_bytes() == DATA
    assert last == Pulled(last.path, True, len(DATA))
    assert steps[0] == Downloading(NAME, 0, len(DATA))
    assert steps[-2] == Downloading(NAME, len(DATA), len(DATA))
    assert steps[-1] == Checking(NAME)
    assert [p.name for p in Path(last.path).parent.iterdir()] == [NAME]


def test_the_hub_may_be_below_a_path(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.prefix = "/artifactory/api/huggingfaceml/hub"
    monkeypatch.setenv("HF_ENDPOINT", f"{hub.url}{hub.prefix}/")

    _, last = pulled(f"{hub.url}{hub.prefix}/{REPO}/resolve/main/{NAME}?download=true")

    assert Path(last.path).read_bytes() == DATA


def test_a_second_time_nothing_is_downloaded(hub: Hub) -> None:
    pulled()

    _, last = pulled()

    assert last.fetched == 0
    assert len(hub.sent) == 1


def test_a_stopped_download_continues_where_it_stopped(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library gives up a silent server after 10 seconds, and tells only then what
    # has arrived of a piece that is not complete.
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")
    hub.gate.clear()
    pull = Pull(wanted(REPO))
    part = home / "models" / REPO / f"{NAME}.part"

    def stop_half_way() -> None:
        for step in pull:
            if isinstance(step, Downloading) and step.done > 0:
                assert hub.waiting.wait(30)  # the server has sent half
                pull.stop()

    with pytest.raises(Cancelled):
        stop_half_way()
    kept = part.stat().st_size
    assert kept > 0
    hub.gate.set()

    steps, last = pulled()

    assert steps[0] == Downloading(NAME, kept, len(DATA), kept)
    assert last.fetched == len(DATA) - kept
    assert hub.sent[-1] == (NAME, kept, len(DATA) - kept)
    assert Path(last.path).read_bytes() == DATA


@pytest.mark.parametrize("ranges", [False, None])
def test_a_server_without_ranges_begins_anew(
    hub: Hub, home: Path, ranges: bool | None
) -> None:
    part = home / "models" / REPO / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA[:1000])
    hub.ranges = ranges

    _, last = pulled()

    assert Path(last.path).read_bytes() == DATA


def test_a_part_that_is_longer_than_the_file_is_not_used(hub: Hub, home: Path) -> None:
    part = home / "models" / REPO / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(DATA + b"more")

    _, last = pulled()

    assert last.fetched == len(DATA)
    assert Path(last.path).read_bytes() == DATA


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_hub(hub: Hub) -> None:
    with pytest.raises(ModelError, match=r"^/dev/null\S* cannot be written: .* --to"):
        list(Pull(wanted(REPO), Path("/dev/null")))

    assert hub.sent == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_disk_that_fills_meanwhile_is_told(hub: Hub, home: Path) -> None:
    part = home / "models" / REPO / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    part.symlink_to("/dev/full")

    with pytest.raises(ModelError, match=r"is full\. Free some space and try again"):
        pulled()


def test_a_size_that_is_not_known_is_no_share() -> None:
    assert progress(Downloading(NAME, 5_000_000, 0), 3.0) == "5.0 MB"


def test_a_broken_connection_is_continued_by_itself(hub: Hub) -> None:
    hub.cut_after = 2_000_000

    _, last = pulled()

    first, second = [first for _, first, _ in hub.sent]
    assert first == 0
    assert 1_500_000 < second <= 2_000_000
    assert Path(last.path).read_bytes() == DATA


def test_a_wrong_checksum_leaves_no_file(hub: Hub, home: Path) -> None:
    hub.spoilt = True

    with pytest.raises(ModelError, match=r"The checksum of .* differs from the hub"):
        pulled()

    assert list((home / "models" / REPO).iterdir()) == []


@pytest.mark.parametrize("length", [100, len(DATA) + 100])
def test_a_file_of_another_length_leaves_no_file(
    hub: Hub, home: Path, length: int
) -> None:
    hub.length = length

    with pytest.raises(ModelError, match=r"size of .* differs from the hub") as raised:
        pulled()

    assert "localhost" not in str(raised.value)  # its address has a signature
    assert list((home / "models" / REPO).iterdir()) == []


def test_a_full_disk_is_told_before_anything_is_downloaded(
    hub: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The child sees a small disk: its shutil is replaced when Python starts.
    free = shutil.disk_usage(home).free
    (home / "sitecustomize.py").write_text(
        "import shutil\n"
        f"shutil.disk_usage = lambda _: shutil._ntuple_diskusage({free}, 1, 1000)\n"
    )
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{home}:{path}" if path else str(home))

    with pytest.raises(ModelError, match=r"needs 3\.0 MB, but only 0\.0 MB is free"):
        pulled()

    assert hub.sent == []


def test_what_another_program_has_downloaded_is_used(hub: Hub) -> None:
    code = f"import huggingface_hub as h; print(h.hf_hub_download({REPO!r}, {NAME!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    _, last = pulled()

    assert last == Pulled(done.stdout.strip(), False, 0)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("Qwen/None-GGUF", "has no repository Qwen/None-GGUF"),
        (f"{REPO}:Q2_K", "It has: Q4_K_M, Q8_0"),
    ],
)
def test_what_is_not_there_is_told(hub: Hub, spec: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        pulled(spec)


def test_errors_are_in_the_language_of_the_app(
    hub: Hub, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: i18n.choose("en"))
    i18n.choose("zh")

    with pytest.raises(ModelError, match=r"没有.*仓库.*Qwen/None-GGUF"):
        pulled("Qwen/None-GGUF")


def test_terms_that_must_be_accepted_are_told(hub: Hub) -> None:
    hub.gated = True

    with pytest.raises(ModelError, match=r"accept its terms first.*HF_TOKEN"):
        pulled()


def test_a_hub_that_cannot_be_reached_is_named(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(
        ModelError, match=r"http://127\.0\.0\.1:9: Connection refused\."
    ):
        pulled()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, r"did not accept your token \(401\)\. Check HF_TOKEN"),
        (403, r"Accept its terms at http\S*/Qwen/Tiny-GGUF if it has any"),
        (404, r"has no repository Qwen/Tiny-GGUF"),
        (429, r"Try again in a few minutes"),
        (500, r"it answered 500\. Try again"),
    ],
)
def test_a_refusal_tells_what_to_do(hub: Hub, status: int, says: str) -> None:
    hub.refusal = status

    with pytest.raises(ModelError, match=says):
        pulled()


@pytest.mark.parametrize(
    "body",
    [b"<html>Log in to this network</html>", b"{}", b'{"id": "a", "siblings": [{}]}'],
)
def test_a_page_in_place_of_the_hub_points_at_the_network(
    hub: Hub, body: bytes
) -> None:
    hub.description = body

    with pytest.raises(ModelError, match=r"did not answer like .* HF_ENDPOINT.*login"):
        pulled()


def test_a_hub_that_never_ends_its_answer_is_given_up(hub: Hub, home: Path) -> None:
    hub.silent = True
    code = (
        "import sys\n"
        "from tui.models.hub import download\n"
        "download._INFO_SECONDS = 0.5\n"
        f"sys.argv[1:] = [{REPO!r}, '', {str(home)!r}]\n"
        "sys.exit(download.main())\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 1
    assert "did not describe the repository within 0.5 seconds" in done.stdout


def test_nothing_is_imported_from_the_folder_in_which_it_runs(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tui").mkdir()
    (tmp_path / "tui" / "__init__.py").write_text("raise SystemExit(9)\n")
    monkeypatch.chdir(tmp_path)

    _, last = pulled()

    assert last.fetched == len(DATA)
