"""The list of all conversations, and the actions on them."""
