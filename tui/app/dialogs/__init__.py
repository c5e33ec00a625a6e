"""Screens over the chat: help, models, quitting."""
