"""Adds up the tokens of conversations, and what they cost, by model.

A cost is what the server reported, or what the price at that time gave; both are in the
log. Without either, today's price counts. What has no price is counted as unknown,
never as nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from unicodedata import east_asian_width

import msgspec

from tui import bounds, events
from tui.config import Price
from tui.eventlog import EventLog
from tui.eventlog.sqlite.event_rows import text
from tui.events import ConversationForked, Record, TurnRequested, UsageReported
from tui.i18n import N_, _

GetPrice = Callable[[str], Price | None]
"""Returns what a model's tokens cost, None if that is not known."""
MOST_MODELS = 200
"""Models that are distinguished; what is left is one row."""
OTHERS = "(others)"


class Spent(msgspec.Struct):
    """What the requests to a model have used."""

    requests: int = 0
    input: int = 0
    """Tokens, of which `cached` had been cached by the server."""
    cached: int = 0
    output: int = 0
    """Tokens, of which `reasoning` were reasoning, as far as the server tells."""
    reasoning: int = 0
    costs: dict[str, float] = {}
    """The known costs by currency."""
    unknown: int = 0
    """How many of the requests have no known cost."""

    def add(self, other: "Spent") -> None:
        """Add what other requests have used."""
        self.requests += other.requests
        self.input += other.input
        self.cached += other.cached
        self.output += other.output
        self.reasoning += other.reasoning
        self.unknown += other.unknown
        for currency, cost in other.costs.items():
            self.costs[currency] = self.costs.get(currency, 0.0) + cost


class Tally(msgspec.Struct):
    """What conversations have used, by model."""

    models: dict[str, Spent] = {}

    @property
    def total(self) -> Spent:
        """The sum of all models."""
        total = Spent()
        for spent in self.models.values():
            total.add(spent)
        return total

    def add(self, model: str, usage: UsageReported, price: Price | None) -> None:
        """Count a request; `price` counts if its cost is not stored."""
        cost, currency = usage.cost, usage.currency
        if cost is None and price is not None:
            cost, currency = cost_of(price, usage), price.currency
        if model not in self.models and len(self.models) >= MOST_MODELS:
            model = OTHERS
        self.models.setdefault(model, Spent()).add(
            Spent(
                1,
                usage.input_tokens,
                min(usage.cached_tokens, usage.input_tokens),
                usage.output_tokens,
                min(usage.reasoning_tokens, usage.output_tokens),
                {} if cost is None else {currency: cost},
                cost is None,
            )
        )


class Counter:
    """Counts the records of conversations, in the order of the log.

    What a fork has copied was spent by its original.
    """

    def __init__(self, price: GetPrice) -> None:
        self.tally = Tally()
        self._price = price
        self._models: dict[str, str] = {}
        self._forked: dict[str, float] = {}

    def take(self, record: Record) -> bool:
        """Take the next record; return whether it was counted."""
        match record.event:
            case TurnRequested(model):
                self._models[record.turn or ""] = model
            case ConversationForked():
                self._forked[record.conversation] = record.time
            case UsageReported() as usage:
                if record.time < self._forked.get(record.conversation, 0.0):
                    return False
                model = usage.model or self._models.get(record.turn or "", "")
                self.tally.add(model or "(unknown)", usage, self._price(model))
                return True
            case _:
                pass
        return False


def cost_of(price: Price, usage: UsageReported) -> float:
    """Return what a request costs at a price."""
    cached = min(usage.cached_tokens, usage.input_tokens)
    of_cached = price.input if price.cached is None else price.cached
    cost = (
        (usage.input_tokens - cached) * price.input
        + cached * of_cached
        + usage.output_tokens * price.output
    ) / 1e6
    return bounds.money(cost) or 0.0


def spent(
    log: EventLog, price: GetPrice, conversation: str = "", since: float = 0.0
) -> Tally:
    """Add up what a conversation ("": all) has spent since a time.

    Blocks: reads the whole store, or the whole conversation. Raises `LogError`.
    """
    counter = Counter(price)
    for record in _records(log, conversation, since):
        if record.time >= since or not isinstance(record.event, UsageReported):
            counter.take(record)
    return counter.tally


_REQUESTED_BEFORE = 86_400.0
"""Seconds before a time in which the requests are looked for that were answered after
it; the model of an earlier one is unknown."""


def _records(log: EventLog, conversation: str, since: float) -> Iterator[Record]:
    only = "conversation = ? AND" if conversation else ""
    after, first = 0, since - _REQUESTED_BEFORE if since else 0.0
    while rows := log.query(
        "SELECT seq, conversation, turn, kind, time, CAST(data AS BLOB) FROM event "
        f"WHERE {only} seq > ? AND time >= ? AND kind IN "
        "('turn_requested', 'usage_reported', 'conversation_forked') "
        "AND length(data) < 1000000 ORDER BY seq LIMIT 5000",
        (conversation, after, first) if conversation else (after, first),
    ):
        for seq, of, turn, kind, at, data in rows:
            after = seq
            event = events.read(text(kind), data or b"")
            if isinstance(event, events.Unreadable):
                log.note_unreadable(seq)
            of, turn = text(of), None if turn is None else text(turn)
            yield Record(seq, of, turn, bounds.moment(at), event)


# -- in words

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "JPY": "¥"}
UNKNOWN = N_("unknown")
"""The cost of what has no price; to be translated."""


def spell_cost(spent: Spent) -> str:
    """Return what is known of a cost, such as `$0.0123` or `$1.20 + unknown`."""
    known = [spell_money(cost, name) for name, cost in spent.costs.items() if cost]
    if spent.unknown:
        known.append(_(UNKNOWN))
    return " + ".join(known) or (_("free") if spent.requests else "-")


def spell_money(amount: float, currency: str) -> str:
    """Return a sum of money, with as many places as it needs."""
    if 0 < amount < 0.0001:
        number, less = "0.0001", "<"
    else:
        number, less = f"{amount:,.4f}" if amount < 1 else f"{amount:,.2f}", ""
    sign = _SIGNS.get(currency)
    return f"{less}{sign}{number}" if sign else f"{less}{number} {currency}"


def spell_tokens(count: int) -> str:
    """Return a number of tokens in at most six columns: `950`, `12.3k`, `4.5M`."""
    if count < 10_000:
        return f"{count:,}"
    for unit in "kMGT":
        count_of, count = count / 1000, count // 1000
        if count_of < 999.95:
            return f"{count_of:.1f}{unit}"
    return ">999T"


def table(tally: Tally, width: int) -> list[str]:
    """Return the rows of a table of `width` columns or fewer, its heading first."""
    heading = (
        _("model"),
        _("in"),
        _("cached"),
        _("out"),
        _("reasoning"),
        _("cost"),
    )
    rows = [(name, *_figures(it)) for name, it in _by_size(tally)]
    if len(rows) > 1:
        rows.append((_("total"), *_figures(tally.total)))
    columns = (0, 1, 2, 3, 4, 5)
    while True:
        shown = [[row[c] for c in columns] for row in (heading, *rows)]
        widths = [max(map(_cells, column)) for column in zip(*shown, strict=True)]
        names = min(widths[0], max(8, width - sum(widths[1:]) - 2 * len(widths[1:])))
        if names == widths[0] or columns == (0, 1, 3, 5) or width >= 64:
            break
        columns = (0, 1, 3, 5)
    lines: list[str] = []
    for name, *figures in shown:
        shorter = _cut(name, names)
        aligned = [
            " " * (room - _cells(figure)) + figure
            for figure, room in zip(figures, widths[1:], strict=True)
        ]
        lines.append("  ".join((shorter + " " * (names - _cells(shorter)), *aligned)))
    return lines


def _cells(text: str) -> int:
    """Return how many columns `text` takes."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(each) in "WF" else 1 for each in text)


def _cut(text: str, room: int) -> str:
    if _cells(text) <= room:
        return text
    while text and _cells(text) >= room:
        text = text[:-1]
    return text + "…"


def _by_size(tally: Tally) -> Iterable[tuple[str, Spent]]:
    return sorted(tally.models.items(), key=lambda it: -(it[1].input + it[1].output))


def _figures(it: Spent) -> tuple[str, ...]:
    counts = (it.input, it.cached, it.output, it.reasoning)
    return (*map(spell_tokens, counts), spell_cost(it))


def since_days(days: int) -> float:
    """Return the time some days ago; the beginning of time for 0."""
    return max(0.0, time.time() - days * 86_400) if days else 0.0
