"""`python -m tui` is `lazychat`."""

import sys

from tui.cli import main

sys.exit(main())
