"""Runs turns, and provides everything that a process needs for that."""
