"""The dialects: one row for each way of writing calls; see `registry`."""
