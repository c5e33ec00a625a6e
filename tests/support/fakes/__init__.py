"""Test doubles for the outside world, which tests drive step by step."""
