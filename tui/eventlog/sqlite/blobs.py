"""Keeps the bytes of attached files, each once, by their digest.

Events and drafts only refer to them, so that a screen can follow a conversation without
loading its pictures. Nothing counts the references: a purge, which rewrites the file
anyway, looks for them and frees what nobody refers to.
"""

import re
import sqlite3

from tui.eventlog.sqlite.event_rows import text

TABLE = "blob"

SCHEMA = """
    CREATE TABLE blob(digest TEXT PRIMARY KEY, data BLOB NOT NULL);
    ALTER TABLE draft ADD COLUMN attachments TEXT NOT NULL DEFAULT ''
"""

READ = "SELECT data FROM blob WHERE digest = ? AND typeof(data) = 'blob'"
"""Reads the bytes of one digest, also through a fallback; a column holds any type."""

_REFERENCE = re.compile(r'"digest":"([0-9a-f]{64})"')
_REFERRING = (
    "SELECT data FROM event WHERE kind = 'message_added' AND instr(data, :sign) "
    "UNION ALL SELECT data FROM deleted_event "
    "WHERE kind = 'message_added' AND instr(data, :sign) "
    "UNION ALL SELECT attachments FROM draft WHERE attachments <> ''"
)
"""JSON has no bare quotation marks within a text, so no text looks like a reference."""


def digest_of(data: bytes) -> str:
    """Return the digest under which `data` is kept."""
    import hashlib  # loads OpenSSL, which a start needs not

    return hashlib.sha256(data).hexdigest()


def put(db: sqlite3.Connection, digest: str, data: bytes) -> None:
    """Keep `data`, unless it is there already."""
    db.execute("INSERT OR IGNORE INTO main.blob VALUES (?, ?)", (digest, data))


def free(db: sqlite3.Connection) -> int:
    """Delete what nothing refers to; return how much was deleted.

    `db` must not be in a transaction: nobody may refer to any of it meanwhile.
    """
    if not db.execute("SELECT 1 FROM blob LIMIT 1").fetchone():
        return 0
    db.execute("BEGIN IMMEDIATE")
    try:
        used: set[str] = set()
        for (data,) in db.execute(_REFERRING, {"sign": '"digest":"'}):
            used.update(_REFERENCE.findall(text(data)))
        kept = [digest for (digest,) in db.execute("SELECT digest FROM blob")]
        gone = [(digest,) for digest in kept if digest not in used]
        db.executemany("DELETE FROM blob WHERE digest = ?", gone)
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return len(gone)


def referred(document: str) -> set[str]:
    """Return the digests to which JSON refers."""
    return set(_REFERENCE.findall(document))


def is_referred(db: sqlite3.Connection, digest: str) -> bool:
    """Return whether a message or a draft refers to a digest.

    A message that was just sent is found at once: the newest is looked at first.
    """
    sign = f'"digest":"{digest}"'
    sql = (
        "SELECT 1 FROM event WHERE kind = 'message_added' AND instr(data, :sign) "
        "UNION ALL SELECT 1 FROM main.draft WHERE instr(attachments, :sign) LIMIT 1"
    )
    newest = (
        "SELECT 1 FROM (SELECT kind, data FROM event ORDER BY seq DESC LIMIT 20) "
        "WHERE kind = 'message_added' AND instr(data, :sign)"
    )
    wanted = {"sign": sign}
    return any(db.execute(it, wanted).fetchone() for it in (newest, sql))
