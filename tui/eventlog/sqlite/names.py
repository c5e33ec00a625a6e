"""Repairs names in the store that are invalid UTF-8.

Another program, or a bad disk, may have written them. They are read with U+FFFD, so
events written with the name as read would not match the stored name, and a turn would
never end.
"""

import sqlite3

NAMES = {
    "event": ("conversation", "turn", "kind", "delta_of"),
    "conversation": ("id",),
    "running": ("turn", "conversation"),
    "draft": ("conversation",),
    "seen": ("conversation",),
    "importing": ("source", "conversation"),
    "deleted": ("conversation",),
    "deleted_event": ("turn", "kind"),
}
"""The columns of each table that hold names."""


def repair(db: sqlite3.Connection) -> bool:
    """Replace each invalid name by the text that readers get, within a transaction.

    A name that would then clash with another row stays unchanged. Returns True, because
    this function is used as a guard of an append.
    """
    db.create_function("is_broken", 1, _is_broken, deterministic=True)
    db.create_function("as_text", 1, _as_text, deterministic=True)
    for table, columns in NAMES.items():
        for name in columns:
            db.execute(
                f"UPDATE OR IGNORE main.{table} "
                f"SET {name} = as_text(CAST({name} AS BLOB)) "
                f"WHERE typeof({name}) = 'text' AND is_broken(CAST({name} AS BLOB))"
            )
    return True


def _is_broken(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return True
    return False


def _as_text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
