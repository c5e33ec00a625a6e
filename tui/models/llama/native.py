"""Loads the C library and silences its output.

llama.cpp writes to file descriptor 2 unless it has a log callback. The Python class
`llama_cpp.Llama` redirects descriptors 1 and 2 of the whole process while it loads, so
frames drawn in that time are lost. Therefore this package uses only the C functions.
Callbacks that are called often are C functions too, because a Python callback takes the
interpreter's lock each time and must not run while Python exits.
"""

import ctypes
import functools
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tui.errors import ModelError
from tui.i18n import _

_ERROR = 4
"""GGML_LOG_LEVEL_ERROR; level 5 continues the previous line."""


@functools.cache
def library() -> Any:
    """Return the module of llama.cpp's C functions, initialised and silent.

    The first call is slow. Raises `ModelError` when llama-cpp-python is not installed
    or its library cannot be loaded.
    """
    try:
        from llama_cpp import llama_cpp  # numpy and a shared library of 10 MB
    except ModuleNotFoundError as error:
        raise ModelError(
            _(
                "Local models need llama-cpp-python, which is not installed: pip "
                "install 'lazychat[local]'"
            ),
            "not_installed",
        ) from error
    except (ImportError, OSError, RuntimeError) as error:
        raise ModelError(
            _(
                "llama-cpp-python is installed but cannot be loaded ({error}): "
                "install it again with pip install --force-reinstall "
                "'lazychat[local]'"
            ).format(error=error),
            "not_installed",
        ) from error
    lib: Any = llama_cpp
    lib.llama_log_set(_silence(lib), None)
    lib.llama_backend_init()
    return lib


@functools.cache
def _silence(lib: Any) -> Any:
    """Return a log callback in C that does nothing.

    The C function `abs` gets the log level as its argument, and llama.cpp ignores the
    result. A Python callback could crash: llama.cpp also logs when it frees memory,
    which may happen after Python's end.
    """
    return ctypes.cast(ctypes.CDLL(None).abs, lib.llama_log_callback)


_log_lock = threading.Lock()


@contextmanager
def error_lines(lib: Any) -> Generator[list[str], None, None]:
    """Collect the errors that llama.cpp logs while the block is open."""
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

    llama.cpp reads it hundreds of times for each token. So the callback is C's `strlen`
    on two bytes of ours: "" has length 0 and means continue, "\\1" has length 1 and
    means stop. A Python callback would slow the computation down and wait for the
    interpreter's lock each time.
    """

    def __init__(self, lib: Any) -> None:
        self._bytes = ctypes.create_string_buffer(2)
        self.callback = ctypes.cast(ctypes.CDLL(None).strlen, lib.ggml_abort_callback)
        self.data = ctypes.c_void_p(ctypes.addressof(self._bytes))

    def set(self) -> None:
        """Interrupt the running computation and all later ones; any thread."""
        self._bytes[0] = 1

    def clear(self) -> None:
        """Let computations run again."""
        self._bytes[0] = 0

    @property
    def is_set(self) -> bool:
        """Whether computations are interrupted."""
        return self._bytes[0] != b"\0"
