"""Keeps events while the store cannot be written, and repairs the store."""
