"""Code shared by tests and by the programs beside them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder of the project."""
