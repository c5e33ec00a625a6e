"""Screens over the chat: help, choice of model, quitting."""
