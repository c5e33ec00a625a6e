"""Reads from the header of a GGUF file how long the file must be.

A download that broke off leaves a file with a good beginning, which only the loader of
llama.cpp would notice. The format is that of ggml's docs/gguf.md, versions 2 and 3; the
sizes are those of ggml's `type_traits`.
"""

import math
import struct
from pathlib import Path
from typing import BinaryIO

_NUMBERS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of the types of metadata that have a fixed length."""
_UINT32, _STRING, _ARRAY = 4, 8, 9
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24),
    8: (32, 34), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176),
    14: (256, 210), 15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98),
    19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56),
    30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Elements and bytes of a block, by the type of a tensor."""
_DIMENSIONS = 8
_MOST = 10_000_000
"""Most entries of a table, or elements of an array, that are believed."""


class Unknown(Exception):
    """The header is in a form that this module does not know."""


def needed(path: Path) -> int:
    """Return how many bytes the file must have at least.

    Types of tensors that are not known here count as empty. Raises `EOFError` if the
    file ends within its header, `Unknown`, and `OSError`.
    """
    with path.open("rb") as file:
        return _Header(file).end()


class _Header:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def end(self) -> int:
        self._skip(4)
        if self._number("<I") not in (2, 3):
            raise Unknown
        tensors, pairs = self._count(), self._count()
        alignment = 32
        for _each in range(pairs):
            name = self._bytes(self._count())
            kind = self._number("<I")
            if name == b"general.alignment" and kind == _UINT32:
                alignment = max(self._number("<I"), 1)
            else:
                self._skip_value(kind)
        last = max((self._tensor() for _each in range(tensors)), default=0)
        return math.ceil(self._file.tell() / alignment) * alignment + last

    def _tensor(self) -> int:
        """Return where a tensor ends, counted from the first one."""
        self._skip(self._count())
        dimensions = self._number("<I")
        if dimensions > _DIMENSIONS:
            raise Unknown
        elements = math.prod(self._number("<Q") for _each in range(dimensions))
        block, size = _BLOCKS.get(self._number("<I"), (1, 0))
        return self._number("<Q") + elements // block * size

    def _skip_value(self, kind: int) -> None:
        if kind == _STRING:
            self._skip(self._count())
        elif kind == _ARRAY:
            kind, count = self._number("<I"), self._count()
            if kind in _NUMBERS:
                self._skip(_NUMBERS[kind] * count)
            elif kind == _STRING:
                for _each in range(count):
                    self._skip(self._count())
            else:
                raise Unknown
        elif kind in _NUMBERS:
            self._skip(_NUMBERS[kind])
        else:
            raise Unknown

    def _count(self) -> int:
        count = self._number("<Q")
        if count > _MOST:
            raise Unknown
        return count

    def _number(self, form: str) -> int:
        return struct.unpack(form, self._bytes(struct.calcsize(form)))[0]

    def _bytes(self, count: int) -> bytes:
        found = self._file.read(count)
        if len(found) < count:
            raise EOFError
        return found

    def _skip(self, count: int) -> None:
        """Skip bytes; that they are missing shows at the next number."""
        self._file.seek(count, 1)
