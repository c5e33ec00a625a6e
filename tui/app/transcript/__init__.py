"""The pane of messages: layout, scrolling, selection, search."""
