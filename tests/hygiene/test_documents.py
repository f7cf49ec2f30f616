"""What the README and docs/ tell a reader to run works."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hygiene.documents import DocumentError, Outcome, commands, fences, matches, run

REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


# The examples start nodes on the ports that a reader gets: one document at a time.
@pytest.mark.slow
@pytest.mark.xdist_group("documents")
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_examples_run(document: Path, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    # A reader stands in a clone; the contracts are what the examples need of it.
    (tmp_path / "reader").mkdir()
    (tmp_path / "reader" / "contracts").symlink_to(REPOSITORY / "contracts")
    outcome = run_text(document.read_text(), tmp_path, name=document.name)
    if outcome.run or outcome.not_run:
        not_run = f" (lines {', '.join(map(str, outcome.not_run))})" if outcome.not_run else ""
        record_property(
            "summary",
            f"{document.relative_to(REPOSITORY)}: {len(outcome.run)} examples run, "
            f"{len(outcome.not_run)} not run{not_run}",
        )


def run_text(markdown: str, tmp_path: Path, *, name: str = "sample.md") -> Outcome:
    document = tmp_path / "document" / name
    document.parent.mkdir()
    document.write_text(markdown)
    folder = tmp_path / "reader"
    folder.mkdir(exist_ok=True)
    return run(document, folder=folder, repository=REPOSITORY)


def block(info: str, *lines: str) -> str:
    return "\n".join([f"```{info}", *lines, "```", ""])


def test_python_fences_share_a_namespace_and_a_folder(tmp_path: Path) -> None:
    first = block("python", "from pathlib import Path", "name = 'made'")
    second = block("python", "Path(name).write_text('by python')")
    third = block("console", "$ cat made", "by python")
    assert run_text(first + "text\n" + second + third, tmp_path) == Outcome(run=[1, 6, 9])


def test_python_failure_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"sample\.md:3: the Python code failed") as caught:
        run_text("# Title\n\n" + block("python", "fine = 1", "assert fine == 2"), tmp_path)
    assert 'File "sample.md", line 5' in str(caught.value)


def test_console_keeps_folder_and_variables(tmp_path: Path) -> None:
    text = block("console", "$ mkdir inner && cd inner", "$ export WORD='two words'") + block(
        "sh", "$ basename $PWD; echo $WORD", "inner", "two words"
    )
    assert run_text(text, tmp_path).run == [1, 5]


def test_console_failure_names_line_status_and_output(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"sample\.md:3: `echo why; exit 3` ended with 3\n.*\nwhy"):
        run_text(block("console", "$ true", "$ echo why; exit 3"), tmp_path)


def test_console_output_is_compared(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"sample\.md:2: `echo one` should print:\ntwo"):
        run_text(block("console", "$ echo one", "two"), tmp_path)


def test_a_script_without_prompts_stops_at_its_first_failure(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="ended with 1"):
        run_text(block("sh", "false", "true"), tmp_path)


def test_background_runs_on_and_ends_with_the_document(tmp_path: Path) -> None:
    text = block(
        "console",
        "$ trap 'echo ended > after; exit' TERM; echo one; echo ready; while :; do read -t 1 <>pipe; done &",
        "...",
        "ready",
        "$ echo next",
        "next",
    )
    text = block("sh", "mkfifo pipe") + text
    run_text(text, tmp_path)
    assert (tmp_path / "reader" / "after").read_text() == "ended\n"


def test_background_that_never_prints_what_is_awaited_fails_when_it_ends(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"sample\.md:2: .* did not print:\nready\n.*\nbroken"):
        run_text(block("console", "$ echo broken &", "ready"), tmp_path)


def test_environment_of_a_reader(tmp_path: Path) -> None:
    text = block("console", "$ echo $VESSEL_REPO", str(REPOSITORY), "$ command -v python", "...bin/python")
    assert run_text(text, tmp_path).run == [1]
    assert "VESSEL_REPO" not in os.environ


def test_what_is_not_run_is_counted(tmp_path: Path) -> None:
    text = block("console no-run", "$ false") + block("python no-run", "1 / 0") + block("toml", "[chain]")
    assert run_text(text, tmp_path) == Outcome(not_run=[1, 4])


def test_a_fence_is_written_to_the_file_it_names(tmp_path: Path) -> None:
    text = block("toml file=config/vessel.toml", "[chain]") + block("console", "$ cat config/*", "[chain]")
    assert run_text(text, tmp_path).run == [1, 4]


def test_fences_may_be_indented_nested_and_must_close() -> None:
    nested = "1. Do:\n\n   ```console\n   $ true\n   ```\n\n````text\n```python\n1 / 0\n```\n````\n"
    found = list(fences(nested))
    assert [(fence.language, fence.line) for fence in found] == [("console", 3), ("text", 7)]
    assert found[0].text == "$ true\n"
    with pytest.raises(DocumentError, match="line 1: the fence is not closed"):
        list(fences("```python\nx = 1\n"))


def test_commands_continue_after_a_backslash_and_through_a_here_document() -> None:
    text = block(
        "console", "$ echo a \\", "    b", "a b", "$ cat <<'END' > f", "$ x", "END", "$ cat f", "$ y"
    )
    (fence,) = fences(text)
    assert [(command.text, command.line, command.expected) for command in commands(fence)] == [
        ("echo a \\\n    b", 2, "a b"),
        ("cat <<'END' > f\n$ x\nEND", 5, ""),
        ("cat f", 8, ""),
        ("y", 9, ""),
    ]


def test_a_console_begins_with_a_command() -> None:
    (fence,) = fences(block("console", "output", "$ true"))
    with pytest.raises(DocumentError, match="line 2: a console begins with a command"):
        commands(fence)


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("a b", "a   b\n\n", True),
        ("a", "b", False),
        ("a", "a\nb", False),
        ("block ... by ...", "block 12 by 0xabc", True),
        ("block ...", "block 1\nblock 2", False),
        ("first\n...\nlast", "first\n1\n2\nlast", True),
        ("first\n...\nlast", "first\nlast", True),
        ("first\n...", "first\nmore", True),
        ("a.c", "abc", False),
        ("...", "", True),
    ],
)
def test_output_is_compared_loosely(expected: str, output: str, same: bool) -> None:
    assert matches(expected, output) is same
