"""Code shared by tests and by the programs beside them."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder of the project."""

# Images for containers like to set it. Each worker, and each of the thousand programs
# that the tests start, would compile all modules again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
