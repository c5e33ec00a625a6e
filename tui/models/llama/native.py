"""Finds the C library and silences its output.

llama.cpp writes to file descriptor 2 unless it is given a callback, and the Python
class `llama_cpp.Llama` swaps the descriptors 1 and 2 of the whole process while it
loads: frames that are drawn meanwhile are lost. So this package uses the C functions
alone. The callbacks that are called often are C functions as well, since a Python
one takes the interpreter's lock each time and must not run while Python ends.
"""

import ctypes
import functools
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tui.errors import ModelError

_ERROR = 4
"""GGML_LOG_LEVEL_ERROR; 5 continues the line before."""


@functools.cache
def library() -> Any:
    """Return the module of llama.cpp's C functions, initialised and silent.

    Takes 0.2 s the first time. Raises `ModelError` when llama-cpp-python is not
    installed or its library cannot be loaded.
    """
    try:
        from llama_cpp import llama_cpp  # numpy and a shared library of 10 MB
    except ModuleNotFoundError as error:
        raise ModelError(
            "Local models need llama-cpp-python, which is not installed: "
            "pip install 'lazychat[local]'",
            "not_installed",
        ) from error
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(
            f"llama-cpp-python is installed but cannot be loaded ({error}): install "
            "it again with pip install --force-reinstall 'lazychat[local]'",
            "not_installed",
        ) from error
    lib: Any = llama_cpp
    lib.llama_log_set(_silence(lib), None)
    lib.llama_backend_init()
    return lib


@functools.cache
def _silence(lib: Any) -> Any:
    """Return a log callback that does nothing, in C.

    `abs` takes the level in its first argument's place and returns an int that
    nobody reads. llama.cpp logs when it frees things, which may be after Python's
    end: a Python callback would crash there.
    """
    return ctypes.cast(ctypes.CDLL(None).abs, lib.llama_log_callback)


_log_lock = threading.Lock()


@contextmanager
def error_lines(lib: Any) -> Generator[list[str], None, None]:
    """Collect what llama.cpp logs as errors while the block is open."""
    lines: list[str] = []

    def collect(level: int, text: bytes, data: object) -> None:
        if level == _ERROR:
            lines.append(text.decode("utf-8", "replace").strip())

    callback = lib.llama_log_callback(collect)
    with _log_lock:
        lib.llama_log_set(callback, None)
        try:
            yield lines
        finally:
            lib.llama_log_set(_silence(lib), None)


class AbortFlag:
    """A flag that llama.cpp reads between two operations of a computation.

    It asks some hundred times a token, so the callback is C's `strlen` on two bytes
    of ours: "" is 0, go on; "\\1" is 1, stop. A Python callback costs a tenth of the
    speed and waits for the interpreter's lock each time.
    """

    def __init__(self, lib: Any) -> None:
        self._bytes = ctypes.create_string_buffer(2)
        self.callback = ctypes.cast(ctypes.CDLL(None).strlen, lib.ggml_abort_callback)
        self.data = ctypes.c_void_p(ctypes.addressof(self._bytes))

    def set(self) -> None:
        """Break off the computation that runs, and any that begins. Any thread."""
        self._bytes[0] = 1

    def clear(self) -> None:
        """Let computations run again."""
        self._bytes[0] = 0

    @property
    def is_set(self) -> bool:
        """Whether computations are broken off."""
        return self._bytes[0] != b"\0"
