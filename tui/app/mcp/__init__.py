"""MCP servers on the screen: their states, prompts, resources and questions."""
