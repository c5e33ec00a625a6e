"""How `lazychat doctor` sees that a GGUF file is cut off."""

import struct
from pathlib import Path

import pytest
from support.fakes.lazychat import needs_starter

from tui.cli.doctor import gguf


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    sizes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + sizes + struct.pack("<IQ", kind, offset)


def model(folder: Path) -> Path:
    """Write a file with metadata of all kinds and two tensors; return its path."""
    words = struct.pack("<IQ", 8, 2) + text("a") + text("bc")
    pairs = [
        pair("general.architecture", 8, text("llama")),
        pair("general.alignment", 4, struct.pack("<I", 64)),
        pair("flag", 7, b"\1"),
        pair("scores", 9, struct.pack("<IQ3f", 6, 3, 0, 1, 2)),
        pair("words", 9, words),
        pair("big", 10, struct.pack("<Q", 1 << 40)),
    ]
    tensors = [tensor("norm", (8,), 0, 0), tensor("weights", (256, 3), 12, 64)]
    counts = struct.pack("<IQQ", 3, len(tensors), len(pairs))
    header = b"GGUF" + counts + b"".join(pairs + tensors)
    header += bytes(-len(header) % 64)
    file = folder / "model.gguf"
    # Q4_K has 144 bytes for 256 elements.
    file.write_bytes(header + bytes(64 + 3 * 144))
    return file


def test_a_whole_file_has_the_length_that_it_needs(tmp_path: Path) -> None:
    file = model(tmp_path)

    assert gguf.needed(file) == file.stat().st_size


def test_a_file_without_its_end_lacks_what_was_cut_off(tmp_path: Path) -> None:
    file = model(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])

    assert gguf.needed(file) == len(whole)


def test_a_file_without_all_of_its_header_ends_too_early(tmp_path: Path) -> None:
    file = model(tmp_path)
    whole = file.read_bytes()

    for size in range(4, len(whole) - 64 - 3 * 144 - 64, 7):
        file.write_bytes(whole[:size])
        with pytest.raises(EOFError):
            gguf.needed(file)


@pytest.mark.parametrize(
    "rest",
    [
        struct.pack("<IQQ", 1, 0, 0),
        struct.pack(">IQQ", 3, 0, 0),
        struct.pack("<IQQ", 3, 1 << 60, 0),
        struct.pack("<IQQ", 3, 0, 1) + pair("key", 77, b""),
        struct.pack("<IQQ", 3, 0, 1) + pair("key", 9, struct.pack("<IQ", 9, 1)),
        struct.pack("<IQQ", 3, 1, 0) + text("t") + struct.pack("<I", 1 << 30),
    ],
)
def test_a_form_that_is_not_known_is_left_alone(tmp_path: Path, rest: bytes) -> None:
    file = tmp_path / "odd.gguf"
    file.write_bytes(b"GGUF" + rest + bytes(100))

    with pytest.raises(gguf.Unknown):
        gguf.needed(file)


@needs_starter
def test_a_real_model_is_whole() -> None:
    from tui.models.llama import starter_path

    assert gguf.needed(starter_path()) == starter_path().stat().st_size
