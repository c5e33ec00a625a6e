"""What an answer costs at least: the openai client, and nothing else."""

import os
from collections.abc import Iterator


def pieces(prompt: str) -> Iterator[str]:
    """Ask the server at OPENAI_BASE_URL; yield the answer as it comes."""
    import openai  # with the first question, as in the app

    client = openai.OpenAI(
        base_url=os.environ["OPENAI_BASE_URL"], api_key="x", max_retries=0
    )
    answer = client.chat.completions.create(
        model="fake", messages=[{"role": "user", "content": prompt}], stream=True
    )
    for chunk in answer:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content
