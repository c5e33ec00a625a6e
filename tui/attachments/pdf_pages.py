"""Writes the text of a PDF's pages. A program of its own, which can be ended.

    python -I pdf_pages.py LIBRARIES PAGES MEMORY < FILE

A page of millions of operators takes minutes and gigabytes, and nothing in the library
bounds that. Standard output gets one JSON value for each line: the number of pages,
then the text of each page, of PAGES at most; or an object with the one field `error`:
`password` or `damaged`. LIBRARIES is the folder in which pypdf is. A file for which
MEMORY bytes are not enough counts as damaged.
"""

import json
import sys
from contextlib import suppress


def main(libraries: str, most: int, memory: int) -> None:
    """Write the pages."""
    with suppress(ImportError, OSError, ValueError):  # not on every system
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sys.path.append(libraries)
    try:
        import pypdf

        reader = pypdf.PdfReader(sys.stdin.buffer)
        if reader.is_encrypted and not reader.decrypt(""):
            _tell({"error": "password"})
            return
        count = len(reader.pages)
        _tell(count)
        for number in range(min(count, most)):
            text = reader.pages[number].extract_text()
            _tell(text.encode("utf-8", "replace").decode())  # it may have surrogates
    except Exception:  # pypdf raises anything for a damaged file
        _tell({"error": "damaged"})


def _tell(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
