"""The pane of messages: laid out, scrolled, selected, searched."""
