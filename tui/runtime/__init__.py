"""Runs turns: takes them from the log, one process for each, in threads."""
