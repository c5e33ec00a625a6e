"""Any OpenAI-compatible server, through the `openai` library.

The library makes the request: addresses, keys, proxies. What comes back is read here
(`stream`, `chunks`, `calls`, `responses_stream`), because servers differ most there
and because it is read once a token. `link` can be interrupted from any thread, and
`retries` says what is sent again.
"""
