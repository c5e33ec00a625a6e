"""The process that downloads: `python -m tui.models.hub.download REPO QUANT FOLDER`.

It prints each `pull.Line` as a line of JSON, and nothing else. The library's own
`hf_hub_download` throws away what came before a failure (since 2.0, each download has
a file of its own), so its parts are used here: the address and the size from the hub,
its HTTP with retries, and our own partial file, which is continued.
"""

import hashlib
import os
import shutil
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import IO, Any
from urllib.parse import urlsplit

import msgspec

from tui import files
from tui.errors import LazychatError, ModelError
from tui.i18n import _
from tui.models.hub.choose import HubFile, Wanted, choose
from tui.models.hub.faults import explain, status
from tui.models.hub.progress import spell_size
from tui.models.hub.pull import Checking, Downloading, Failed, Line, Pulled

_PAUSE = 0.2
"""Seconds between two reports."""
_INFO_SECONDS = 30.0
"""Seconds that the description of a repository may take."""
_MARGIN = 64 << 20
"""Bytes that must stay free on the disk."""
_PIECE = 4 << 20
_CHUNK = 1 << 18

_say_lock = threading.Lock()


def main() -> int:
    """Download; return the exit code."""
    repo, quant, folder = sys.argv[1:]
    # Nothing reads stderr, and a bar would be drawn into it.
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    try:
        _download(Wanted(repo, quant), Path(folder))
    except LazychatError as error:
        _say(Failed(str(error), getattr(error, "kind", "model")))
    except BrokenPipeError:  # whoever wanted it is gone
        os._exit(1)
    except Exception as error:
        _say(Failed(explain(error, repo, folder), "unreachable"))
    else:
        return 0
    return 1


def _say(line: Line) -> None:
    with _say_lock:
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.buffer.flush()


def _download(what: Wanted, folder: Path) -> None:
    try:
        huggingface_hub: Any = import_module("huggingface_hub")
    except ImportError as error:
        raise ModelError(
            _(
                "Downloads need huggingface_hub, of the extra `local`: pip install "
                "'lazychat[local]'."
            ),
            "not_installed",
        ) from error
    revision, hub_files = _files(huggingface_hub, what.repo)
    chosen = choose(hub_files, what)
    cached = [
        huggingface_hub.try_to_load_from_cache(what.repo, f.name, revision=revision)
        for f in chosen
    ]
    if isinstance(cached[0], str) and all(isinstance(each, str) for each in cached):
        _say(Pulled(cached[0], False, 0))  # another program has downloaded it
        return
    target = folder / what.repo
    paths = [target / file.name for file in chosen]
    there = sum(map(_present, paths))
    total = sum(file.size for file in chosen)
    _say(Downloading(paths[0].name, there, total, there))
    _require_space(target, total - there)
    fetched = 0
    for file, path in zip(chosen, paths, strict=True):
        fetched += _get(what.repo, revision, file, path, _Meter(paths, total, there))
    _say(Pulled(str(paths[0]), all(file.sha256 for file in chosen), fetched))


def _files(hub: Any, repo: str) -> tuple[str, list[HubFile]]:
    """Return the newest revision of a repository and its files."""
    constants: Any = import_module("huggingface_hub.constants")
    errors: Any = import_module("huggingface_hub.errors")
    site = constants.ENDPOINT
    seconds = constants.HF_HUB_ETAG_TIMEOUT  # the library sets none for this request
    # A timeout ends only silence, not an answer that comes byte by byte.
    limit = threading.Timer(_INFO_SECONDS, _give_up, (site,))
    limit.daemon = True
    limit.start()
    try:
        info = hub.HfApi().model_info(repo, files_metadata=True, timeout=seconds)
        return info.sha or "main", [
            HubFile(str(each.rfilename), int(each.size or 0), _checksum(each))
            for each in info.siblings or ()
        ]
    except errors.HFValidationError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        # Not what the hub sends: the library fails where it first looks.
        raise ModelError(
            _(
                "{site} did not answer like Hugging Face's hub. Check HF_ENDPOINT, and "
                "whether a proxy or the network requires a login."
            ).format(site=site),
            "unreachable",
        ) from error
    finally:
        limit.cancel()


def _checksum(file: Any) -> str:
    return str(file.lfs.sha256) if file.lfs else ""


def _give_up(site: str) -> None:
    """End this process, whose main thread waits for the hub."""
    text = _(
        "{site} did not describe the repository within {seconds:g} seconds. Try again, "
        "or name another address of the hub in HF_ENDPOINT."
    ).format(site=site, seconds=_INFO_SECONDS)
    with suppress(OSError):
        _say(Failed(text, "unreachable"))
    os._exit(1)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _present(path: Path) -> int:
    for each in (path, _partial(path)):
        if each.is_file():
            return each.stat().st_size
    return 0


def _require_space(folder: Path, needed: int) -> None:
    files.make_folder(folder)
    free = shutil.disk_usage(folder).free
    if needed + _MARGIN > free:
        raise ModelError(
            _(
                "{folder} needs {needed}, but only {free} is free. Choose a smaller "
                "quantization, or another folder with --to."
            ).format(needed=spell_size(needed), folder=folder, free=spell_size(free)),
            "memory",
        )


class _Meter:
    """Reports what is on the disk, at most every `_PAUSE` seconds."""

    def __init__(self, paths: list[Path], total: int, resumed: int) -> None:
        self._paths = paths
        self._total = total
        self._resumed = resumed
        self._next = monotonic() + _PAUSE

    def tick(self, path: Path, *, now: bool = False) -> None:
        if now or monotonic() >= self._next:
            self._next = monotonic() + _PAUSE
            done = sum(map(_present, self._paths))
            _say(Downloading(path.name, done, self._total, self._resumed))


class _Watched:
    """A file for `http_get` that reports what is written into it."""

    def __init__(self, file: IO[bytes], path: Path, meter: _Meter) -> None:
        self._file = file
        self._path = path
        self._meter = meter
        self.written = 0

    def write(self, data: bytes) -> int:
        self.written += len(data)
        self._file.write(data)
        self._file.flush()
        self._meter.tick(self._path)
        return len(data)

    def seek(self, place: int, whence: int = 0) -> int:
        return self._file.seek(place, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


def _get(repo: str, revision: str, file: HubFile, path: Path, meter: _Meter) -> int:
    """Download one file, unless it is there; return the bytes that came."""
    import fcntl

    if path.is_file() and path.stat().st_size == file.size:
        return 0
    files.make_folder(path.parent)
    part = _partial(path)
    with part.open("ab") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelError(
                _(
                    "Another process is downloading {name}. Wait for it to finish."
                ).format(name=path.name)
            ) from error
        except OSError:  # a file system without locks
            pass
        if file.size and opened.tell() > file.size:
            _empty(opened)
        watched = _Watched(opened, path, meter)
        if opened.tell() < file.size or not file.size:
            try:
                _fetch(repo, revision, file, watched)
            except OSError as error:
                if opened.tell() == 0:
                    part.unlink()
                if not str(error).startswith("Consistency check failed"):
                    raise
                # A whole answer of another length: a part of it is not a beginning.
                part.unlink(missing_ok=True)
                raise ModelError(
                    _(
                        "The size of {name} differs from the hub's, so it was "
                        "deleted. Try again; the cause may be a proxy or a login "
                        "page."
                    ).format(name=path.name),
                    "bad_file",
                ) from error
        os.fsync(opened.fileno())
        meter.tick(path, now=True)
        if file.sha256:
            _say(Checking(path.name))
            if _sha256(part) != file.sha256:
                part.unlink()
                raise ModelError(
                    _(
                        "The checksum of {name} differs from the hub's, so it was "
                        "deleted. Try again; the cause may be a proxy or a bad disk."
                    ).format(name=path.name),
                    "bad_file",
                )
        part.replace(path)
    return watched.written


def _empty(file: IO[bytes]) -> None:
    file.truncate(0)
    file.seek(0)  # `tell` would still return the old length


def _fetch(repo: str, revision: str, file: HubFile, into: _Watched) -> None:
    hub: Any = import_module("huggingface_hub")
    downloads: Any = import_module("huggingface_hub.file_download")
    utils: Any = import_module("huggingface_hub.utils")
    # By default it hands over 10 MB at once: too much to be lost, and to show progress.
    hub.constants.DOWNLOAD_CHUNK_SIZE = _CHUNK
    url: str = hub.hf_hub_url(repo, file.name, revision=revision)
    place: str = hub.get_hf_file_metadata(url).location or url
    headers: dict[str, str] = utils.build_hf_headers()
    if urlsplit(place).netloc != urlsplit(url).netloc:
        headers.pop("authorization", None)  # a signed address needs no token

    def get() -> None:
        downloads.http_get(
            place,
            into,
            resume_size=into.tell(),
            headers=headers,
            expected_size=file.size or None,
        )

    try:
        get()
    except OSError as error:
        if status(error) != 416 or not into.tell():
            raise
        into.truncate(0)  # this server has no such range: from the beginning, then
        into.seek(0)
        get()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
