"""The table: how each family of open-weight models writes its calls.

One row a dialect, in four files by notation; `grammar.Dialect` explains what a row
says. Detection, `auto` and docs/dialects.md follow from the rows.
"""

from tui.models.gate.dialects import frames, json, named, tags

DIALECTS = {
    dialect.id: dialect
    for rows in (json.ROWS, named.ROWS, tags.ROWS, frames.ROWS)
    for dialect in rows
}
"""Every dialect by its id; `auto` is made of them."""
