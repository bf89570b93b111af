import asyncio

import pytest
from app import ask_async


@pytest.mark.parametrize("number", range(39))
def test_answers(number):
    question = f"What is {number} times two?"
    assert asyncio.run(ask_async(question)).endswith(question)


def test_asks_several_at_once():
    async def several():
        return await asyncio.gather(*(ask_async(f"Question {number}") for number in range(3)))

    assert len({*asyncio.run(several())}) == 3
