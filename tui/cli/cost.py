"""`lazychat cost`: tokens and cost of conversations, by model."""

import shutil
import sys
from pathlib import Path

from tui import config, conversation
from tui.cli import streams
from tui.cli.codes import DONE
from tui.conversation import costs
from tui.eventlog import EventLog
from tui.i18n import _
from tui.models.catalog import ModelCatalog
from tui.safe import safe


def show_cost(
    log: EventLog, prefix: str, days: int, as_json: bool, file: str | None
) -> int:
    """Print what a conversation ("": all) has spent in `days` (0: ever)."""
    settings = config.load(Path(file) if file else None)
    id = conversation.find(log, prefix) if prefix else ""
    price = ModelCatalog(settings).price
    tally = costs.spent(log, price, id, costs.since_days(days))
    if not (tally.models or log.unreadable):
        streams.talk(_("no tokens counted yet"))
    if as_json:
        rows = [
            {
                "model": name,
                "requests": it.requests,
                "input_tokens": it.input,
                "cached_tokens": it.cached,
                "output_tokens": it.output,
                "reasoning_tokens": it.reasoning,
                "costs": it.costs,
                "unknown": it.unknown,
            }
            for name, it in tally.models.items()
        ]
        streams.print_json(rows)
        return DONE
    if not tally.models:
        return DONE
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 200
    for row in costs.table(tally, width):
        print(safe(row, newlines=False).rstrip())
    return DONE
