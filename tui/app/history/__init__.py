"""The list of conversations, and what can be done with them."""
