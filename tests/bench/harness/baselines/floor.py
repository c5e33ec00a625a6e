"""No screen at all: the openai client, printing."""

import sys

from pieces import pieces

print("READY> ", end="", flush=True)
for line in sys.stdin:
    if line.strip() == "/quit":
        break
    for piece in pieces(line):
        print(piece, end="", flush=True)
    print("\nREADY> ", end="", flush=True)
