"""The two clients have the same methods: what is learnt with one holds for the other."""

from __future__ import annotations

import inspect

import pytest

from vessel.client import AsyncNodeClient, NodeClient

NAMES = sorted(name for name, each in vars(NodeClient).items() if inspect.isfunction(each) and name[0] != "_")


def test_the_same_methods() -> None:
    there = {
        name for name, each in vars(AsyncNodeClient).items() if inspect.isfunction(each) and name[0] != "_"
    }
    assert there == set(NAMES)
    assert inspect.signature(NodeClient) == inspect.signature(AsyncNodeClient)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_arguments_and_the_same_words(name: str) -> None:
    one, other = getattr(NodeClient, name), getattr(AsyncNodeClient, name)
    assert list(inspect.signature(one).parameters.values()) == list(
        inspect.signature(other).parameters.values()
    )
    assert one.__doc__ == other.__doc__
    assert not inspect.iscoroutinefunction(one)
