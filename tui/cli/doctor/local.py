"""Checks the build of llama.cpp: does it load, and run, on this processor?

In a child process, because a wrong build does not raise but kills its process.
"""

import json
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tui import config
from tui.cli.doctor.findings import Finding, Verdict, run_python
from tui.config import Config, LlamaModelConfig
from tui.errors import LazychatError
from tui.i18n import N_, _
from tui.models.catalog import ModelCatalog
from tui.models.local.death import Death

SECONDS = 60.0
"""Seconds that loading llama.cpp, and the starter's first word, may take."""
_INSTALL = N_("pip install 'lazychat[local]', or `make run` in a checkout")

# Loading alone does not execute what a wrong build crashes at.
_TRY = """
import json, os, sys, time
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
from tui.models.llama.native import library
from tui.errors import LazychatError
found = {}
try:
    found["system"] = library().llama_print_system_info().decode("utf-8", "replace")
    import llama_cpp
    found["version"] = llama_cpp.__version__
    if sys.argv[1]:
        # More threads than idle cores would spin, and take seconds.
        threads = {"n_threads": 1, "n_threads_batch": 1}
        llama = llama_cpp.Llama(sys.argv[1], n_ctx=256, verbose=False, **threads)
        began = time.monotonic()
        llama("Good morning! " * 4, max_tokens=1)
        found["seconds"] = time.monotonic() - began
except LazychatError as error:
    found["problem"] = str(error)
print(json.dumps(found), file=out, flush=True)
os._exit(0)
"""


def check_local(settings: Config) -> Iterator[Finding]:
    """Check llama-cpp-python; it may be missing if no model needs it."""
    needed: Verdict = "error" if _is_needed(settings) else "ok"
    if find_spec("llama_cpp") is None:
        yield Finding(
            "local",
            needed,
            _(
                "llama-cpp-python is not installed, so GGUF files and the starter "
                "cannot be run"
            ),
            _("To add it (a C++ compiler is needed): {install}").format(
                install=_(_INSTALL)
            ),
        )
        return
    done = run_python(_TRY, _starter(), seconds=SECONDS)
    worst: Verdict = "error" if needed == "error" else "warning"
    if done.status is None:
        text = _("llama.cpp did not write a word in {seconds:g} seconds").format(
            seconds=SECONDS
        )
        yield Finding("local", "warning", text, _("Close other programs and try again"))
        return
    try:
        found: dict[str, Any] = json.loads(done.out)
    except ValueError:
        death = Death(done.status, done.err, loading=True)
        text = death.describe("llama.cpp", "starter")
        yield Finding("local", worst, text.rstrip("."))
        return
    if problem := found.get("problem"):
        yield Finding("local", worst, str(problem))
        return
    yield _build(found, worst)


def _build(found: dict[str, Any], worst: Verdict) -> Finding:
    built = set(re.findall(r"\b(\w+) = 1\b", str(found["system"])))
    has, uses = _processor(), sorted(_FEATURES & built)
    text = _("llama-cpp-python {version} runs here").format(version=found["version"])
    if seconds := found.get("seconds"):
        text += _(" (the starter's first word took {seconds:.1f} s)").format(
            seconds=float(seconds)
        )
    text += _("; built for {uses}").format(uses=", ".join(uses)) if uses else ""
    if amx := {name for name in built if name.startswith("AMX")}:
        return Finding(
            "local",
            "warning",
            _("{text}, {amx}: GCC 12 compiles AMX wrongly").format(
                text=text, amx=", ".join(sorted(amx))
            ),
            _(
                "If answers are garbage or the model dies, rebuild it: see "
                "docs/local-models.md"
            ),
        )
    if unused := sorted(has - built):
        text += _("; this processor also has {unused}").format(unused=", ".join(unused))
    return Finding("local", "ok", text)


_FEATURES = {"AVX", "AVX2", "AVX512", "FMA", "F16C", "SSE3", "NEON", "DOTPROD", "METAL"}
_FLAGS = {"avx2": "AVX2", "avx512f": "AVX512", "amx_tile": "AMX", "asimddp": "DOTPROD"}
"""Features by the flags that Linux has for them, in the words of llama.cpp."""


def _processor() -> set[str]:
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return set()
    found = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", text, re.M)
    flags = set(found[1].split()) if found else set[str]()
    return {name for flag, name in _FLAGS.items() if flag in flags}


def _is_needed(settings: Config) -> bool:
    """Whether the default model is run by llama.cpp."""
    try:
        found = ModelCatalog(settings).find(config.default_model(settings))
    except LazychatError:
        return False
    return isinstance(found, LlamaModelConfig)


def _starter() -> str:
    from tui.models.llama.starter_file import starter_path

    try:
        return str(starter_path())
    except LazychatError:
        return ""
