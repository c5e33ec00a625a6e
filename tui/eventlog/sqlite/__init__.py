"""Stores the log in SQLite: tables, queries, and the handling of SQLite's files."""
