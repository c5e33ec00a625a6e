"""Settles which key runs which command: what terminals send, and what is taken."""
