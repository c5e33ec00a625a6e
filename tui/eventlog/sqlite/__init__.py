"""The log's file: tables, queries, and what SQLite needs around them."""
