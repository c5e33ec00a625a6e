"""The readers of payloads: one module for each notation; see `grammar.Reader`."""
