"""Loads a GGUF file: weights, vocabulary and metadata."""

import ctypes
import stat
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from tui.errors import ModelError
from tui.i18n import _
from tui.models.llama.native import error_lines, library


def check_file(path: Path) -> None:
    """Raise `ModelError` when there is no GGUF file at `path`.

    llama.cpp itself reports only "failed to load model" for any of these errors.
    """
    try:
        _check_kind(path, path.stat().st_mode)
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise ModelError(
            _(
                "There is no file {path}: set `path` of this model to a GGUF file, "
                "or to `starter`."
            ).format(path=path),
            "bad_file",
        ) from None
    except OSError as error:
        raise ModelError(
            _("Cannot read {path}: {strerror}.").format(
                path=path, strerror=error.strerror
            ),
            "bad_file",
        ) from error
    if magic != b"GGUF":
        text = magic.decode("ascii", "replace")
        shown = (
            _('it begins with "{text}"').format(text=text)
            if text.isprintable()
            else _("it is binary")
        )
        raise ModelError(
            _(
                "{path} is not a GGUF file ({shown}): a model must be in "
                "llama.cpp's format."
            ).format(path=path, shown=shown if magic else _("it is empty")),
            "bad_file",
        )


def _check_kind(path: Path, mode: int) -> None:
    """Refuse anything but a regular file: opening a pipe could wait forever."""
    if not stat.S_ISREG(mode):
        what = _("a directory") if stat.S_ISDIR(mode) else _("a pipe or a device")
        raise ModelError(
            _("{path} is {what}, not a GGUF file.").format(path=path, what=what),
            "bad_file",
        )


class Weights:
    """A loaded model. Any thread may read it until `close`."""

    def __init__(self, path: Path, go_on: Callable[[], bool] = lambda: True) -> None:
        """Load `path`, and stop when `go_on`, called now and then, returns False.

        Raises `ModelError`.
        """
        check_file(path)
        self.path = path
        self.lib = lib = library()
        params = lib.llama_model_default_params()

        def progress(part: float, data: object) -> bool:
            return go_on()

        params.progress_callback = lib.llama_progress_callback(progress)
        with error_lines(lib) as errors:
            self.model: Any = lib.llama_model_load_from_file(str(path).encode(), params)
        if not self.model:
            reason = _(" ({error})").format(error=errors[0]) if errors else ""
            raise ModelError(
                _(
                    "llama.cpp cannot load {path}{reason}: the file may be "
                    "damaged, too large for this machine, or newer than the "
                    "installed llama-cpp-python."
                ).format(path=path, reason=reason),
                "bad_file",
            )
        if lib.llama_model_has_encoder(self.model) or not lib.llama_model_has_decoder(
            self.model
        ):
            self.close()
            raise ModelError(
                _("{path} is not a chat model: it cannot continue a text.").format(
                    path=path
                ),
                "bad_file",
            )
        self.vocab = lib.llama_model_get_vocab(self.model)
        self.context_trained: int = lib.llama_model_n_ctx_train(self.model)
        """The longest context, in tokens, that the model was trained for."""
        self._pieces: dict[int, bytes] = {}
        self._eog: dict[int, bool] = {}
        # Read them now, because this runs in the loading thread.
        self.control = self._control_tokens()
        """Token id and attributes of each control token, by its text: `<|im_end|>`."""

    def close(self) -> None:
        """Free the memory. No context on these weights may still be in use."""
        if self.model:
            self.lib.llama_model_free(self.model)
            self.model = None

    def tokenize(self, text: str, special: bool = False) -> list[int]:
        """Return the tokens of `text`, without a token for its beginning.

        With `special`, `<|im_end|>` and the like become control tokens, so never use it
        for text from outside.
        """
        data = text.encode("utf-8", "replace")
        size = len(data) + 16
        while True:
            tokens = (ctypes.c_int32 * size)()
            n = self.lib.llama_tokenize(
                self.vocab, data, len(data), tokens, size, False, special
            )
            if n >= 0:
                return tokens[:n]
            size = -n

    def piece(self, token: int) -> bytes:
        """Return the bytes of `token`, which may be incomplete characters."""
        piece = self._pieces.get(token)
        if piece is None:
            size = 32
            while True:
                buffer = ctypes.create_string_buffer(size)
                n = self.lib.llama_token_to_piece(
                    self.vocab, token, buffer, size, 0, True
                )
                if n >= 0:
                    break
                size = -n  # a newline and 32 spaces are one token of 33 bytes
            piece = self._pieces[token] = buffer.raw[:n]
        return piece

    def is_eog(self, token: int) -> bool:
        """Return whether `token` ends the model's message."""
        known = self._eog.get(token)
        if known is None:
            known = self.lib.llama_vocab_is_eog(self.vocab, token)
            self._eog[token] = known
        return known

    @cached_property
    def bos(self) -> int | None:
        """The token for the beginning of a text, None if the model has none."""
        token = self.lib.llama_vocab_bos(self.vocab)
        return token if token >= 0 else None

    @property
    def adds_bos(self) -> bool:
        """Whether the model needs `bos` before every text."""
        return self.bos is not None and self.lib.llama_vocab_get_add_bos(self.vocab)

    def special(self, which: str) -> str:
        """Return the text of the `bos`, `eos` ... token, "" if there is none."""
        token = getattr(self.lib, f"llama_vocab_{which}")(self.vocab)
        return self._text(token) if token >= 0 else ""

    def template(self, name: str = "") -> str | None:
        """Return the chat template named `name`, None if there is none.

        "" means the default template.
        """
        # Without a name llama.cpp returns the default template.
        data = self.lib.llama_model_chat_template(self.model, name.encode() or None)
        return data.decode("utf-8", "replace") if data else None

    def _text(self, token: int) -> str:
        return self.lib.llama_vocab_get_text(self.vocab, token).decode(
            "utf-8", "replace"
        )

    def _control_tokens(self) -> dict[str, tuple[int, int]]:
        lib, vocab = self.lib, self.vocab
        wanted = lib.LLAMA_TOKEN_ATTR_CONTROL | lib.LLAMA_TOKEN_ATTR_UNKNOWN
        attribute = lib.llama_vocab_get_attr
        found: dict[str, tuple[int, int]] = {}
        for token in range(lib.llama_vocab_n_tokens(vocab)):
            attributes = attribute(vocab, token)
            if attributes & wanted and (text := self._text(token)):
                found[text] = token, attributes
        return found
