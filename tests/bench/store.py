"""What a large store costs against a small one: list, search, open, delete.

    python tests/bench/store.py [MESSAGES ...]

Seeds stores with 1,000 and 100,000 messages (or as many as are named) in which one
conversation is the same, and prints what the same acts cost in processor time, the
least of several runs, and the ratio; then the size of the index and what a deletion
costs others. The ratios are what must hold: at most 2.
"""

import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tui import conversation
from tui.errors import LogError
from tui.eventlog import EventLog
from tui.events import MessageAdded, Queued, Record
from tui.messages import Message

PER_CONVERSATION = 20
RUNS = 15
LIMIT = 2.0
SMALLEST = 0.05
"""Milliseconds below which nothing is distinguished."""

QUERIES = {
    "a word in each": "message",
    "a common word": "server",
    "a rare word": "needle",
    "two words": "server window",
    "a name in code": "read_table",
    "as typed": "std::vector",
    "in quotes": '"restart it"',
    "Chinese": "窗口",
    "one character": "窗",
    "three letters": "ser",
    "the beginning": "serv",
    "nothing": "absent",
}

_SYLLABLES = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u")]
_COMMON = ["the", "of", "and", "to", "in", "is", "that", "it", "for", "on", "with"]


def words(random: random.Random, count: int = 20_000) -> list[str]:
    """Return made-up words, no two alike."""
    made: dict[str, None] = {}
    while len(made) < count:
        made["".join(random.choices(_SYLLABLES, k=random.randint(1, 4)))] = None
    return list(made)


def seed(log: EventLog, messages: int) -> None:
    """Fill a store; what is searched for is as frequent in each tenth of it."""
    rng = random.Random(7)
    vocabulary = [*_COMMON, "server", "window", *words(rng)]
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(vocabulary))))
    extras = [
        "",
        "",
        "`read_table(path)`",
        "std::vector<int> x;",
        "打开窗口看看。 Restart it",
    ]
    records: list[Record] = []
    for number in range(messages):
        said = rng.choices(vocabulary, cum_weights=weights, k=100)
        text = f"Message {number}: {' '.join(said)} {extras[number % 5]}"
        if number in (messages // 2, messages - 100):
            text += " needle"
        message = Message("user" if number % 2 == 0 else "assistant", text)
        of = f"{number // PER_CONVERSATION:032x}"
        records.append(
            Record(
                0, of, f"t{number}", 1e9 + number, MessageAdded(f"m{number}", message)
            )
        )
        if len(records) == 5000:
            log.add(records).result()
            records = []
    if records:
        log.add(records).result()
    same = Message("user", "The same in each store. " * 20)
    opened = [MessageAdded(f"same{number}", same) for number in range(200)]
    log.append("same", *opened).result()


def cost(act: Callable[[], object]) -> float:
    """Return the milliseconds of processor time that `act` takes at best."""
    best = float("inf")
    for _ in range(RUNS):
        start = time.process_time()
        act()
        best = min(best, time.process_time() - start)
    return best * 1000


def acts(log: EventLog) -> dict[str, float]:
    """Return what each act costs in this store, in milliseconds."""
    costs = {
        "list": cost(lambda: conversation.recent(log, 50)),
        "open": cost(lambda: conversation.fold(log.read("same"))),
    }
    for name, query in QUERIES.items():
        costs[f"search: {name}"] = cost(lambda q=query: conversation.search(log, q))
    return costs


def index_size(log: EventLog) -> tuple[int, int]:
    """Return the bytes of the index and of the text that it is of."""
    try:
        ((index,),) = log.query(
            "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'message\\_text\\_%' "
            "ESCAPE '\\'"
        )
    except LogError:  # an SQLite without `dbstat`
        return 0, 0
    events = [record.event for record in log.read()]
    said = [e.message.text for e in events if isinstance(e, MessageAdded)]
    return index, sum(len(text.encode()) for text in said)


def deletion(log: EventLog) -> tuple[float, float, float]:
    """Delete one conversation; return seconds, processor seconds, and the longest
    that another append has waited meanwhile."""
    waits: list[float] = []
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            start = time.monotonic()
            log.append("other", Queued("x", "y")).result()
            waits.append(time.monotonic() - start)

    writer = threading.Thread(target=write)
    writer.start()
    start, cpu = time.monotonic(), time.process_time()
    deleted = conversation.delete(log, f"{3:032x}")
    took = time.monotonic() - start, time.process_time() - cpu
    done.set()
    writer.join()
    assert not deleted.traces, deleted.traces
    return *took, max(waits)


def main(sizes: list[int]) -> int:
    """Measure stores of `sizes`; return 1 when a ratio is over `LIMIT`."""
    found: list[dict[str, float]] = []
    for size in sizes:
        with (
            tempfile.TemporaryDirectory() as folder,
            EventLog(Path(folder) / "store.db") as log,
        ):
            start = time.monotonic()
            seed(log, size)
            print(f"{size:,} messages: seeded in {time.monotonic() - start:.1f} s")
            found.append(acts(log))
            index, text = index_size(log)
            if text:
                print(
                    f"  index {index / size:.0f} bytes a message, "
                    f"{index / text:.2f} of the text"
                )
            took, cpu, wait = deletion(log)
            print(
                f"  delete: {took:.2f} s, {cpu:.2f} s of CPU; another append waited "
                f"{wait:.2f} s at most"
            )
    small, large = found[0], found[-1]
    ratios = {
        name: max(large[name], SMALLEST) / max(small[name], SMALLEST) for name in small
    }
    print(f"{'ms of CPU':28}" + "".join(f"{size:>10,}" for size in sizes) + "   ratio")
    for name in small:
        costs = "".join(f"{costs[name]:10.3f}" for costs in found)
        print(f"{name:28}{costs}{ratios[name]:8.2f}")
    print(json.dumps({name: round(ratio, 2) for name, ratio in ratios.items()}))
    return int(max(ratios.values()) > LIMIT)


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or [1_000, 100_000]))
