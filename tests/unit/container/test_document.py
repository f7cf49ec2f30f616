"""The page for authors shows the counter that the other tests run."""

from __future__ import annotations

from pathlib import Path

from hygiene.documents import fences

REPOSITORY = Path(__file__).parents[3]


def test_the_page_shows_the_whole_counter() -> None:
    page = (REPOSITORY / "docs" / "write-a-container.md").read_text()
    [shown] = [fence.text for fence in fences(page) if fence.file == "counter.py"]
    assert shown == (REPOSITORY / "tests" / "containers" / "counter.py").read_text()
