"""Downloads GGUF files from Hugging Face's hub, or a mirror that HF_ENDPOINT names.

`choose` decides which files of a repository make a model. The download runs in a
process of its own (`download.py`): its library takes half a second to import and writes
to stderr, and a process can be stopped at any moment. `Pull` is our side of it.
"""

from tui.models.hub.choose import Wanted, is_page, wanted
from tui.models.hub.pull import Checking, Downloading, Pull, Pulled

__all__ = ["Checking", "Downloading", "Pull", "Pulled", "Wanted", "is_page", "wanted"]
