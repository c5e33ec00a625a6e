"""lazychat: a full-screen terminal chat for language models."""
