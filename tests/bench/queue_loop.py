"""How long enqueue with its dequeue takes: ours, or LazyLLM's.

Usage: python tests/bench/queue_loop.py tui.lazyllm|lazyllm ROUNDS

Prints the seconds of one round, the median of all. A process of its own for each, so
that neither pays for the other's imports and threads.
"""

import importlib
import statistics
import sys
import time


def main() -> None:
    """Time the rounds."""
    queue = importlib.import_module(sys.argv[1]).FileSystemQueue(klass="bench")
    rounds: list[float] = []
    for number in range(int(sys.argv[2])):
        began = time.perf_counter()
        queue.enqueue(f"piece {number}")
        taken = queue.dequeue()
        rounds.append(time.perf_counter() - began)
        assert list(taken) == [f"piece {number}"], taken
    print(statistics.median(rounds))


if __name__ == "__main__":
    main()
