"""The table: how each family of open-weight models writes its calls.

One row a dialect, in files by notation; `grammar.Dialect` explains what a row says.
Detection, `auto` and docs/dialects.md follow from the rows.
"""

from tui.models.gate.dialects import (
    channels,
    frames,
    json,
    marked,
    named,
    tags,
    wrapped,
)
from tui.models.gate.dialects.later import with_later

DIALECTS = {
    dialect.id: with_later(dialect)
    for rows in (
        json.ROWS,
        named.ROWS,
        tags.ROWS,
        marked.ROWS,
        wrapped.ROWS,
        channels.ROWS,
        frames.ROWS,
    )
    for dialect in rows
}
"""Every dialect by its id; `auto` is made of them."""
