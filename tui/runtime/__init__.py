"""Runs turns, and everything a process needs for that."""
