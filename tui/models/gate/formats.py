"""The table: how each family of open-weight models writes its calls.

One row a family; the words are explained in `rules`. A marker alone is no call: what
must follow it (`look`) is part of the row. Special rows are made of special tokens,
which cannot occur in prose; the others are protected by Markdown quoting. A new format
is a new row in one of the four files, and a reader if its payload is new.
"""

from tui.models.gate import rows_frames, rows_json, rows_named, rows_tags

DIALECTS = {
    dialect.id: dialect
    for rows in (rows_json.ROWS, rows_named.ROWS, rows_tags.ROWS, rows_frames.ROWS)
    for dialect in rows
}
"""Every dialect by its id; `auto` is made of them."""
