"""Runs the examples of a Markdown file, so that what a reader copies works.

The fences of one file run from top to bottom, in one folder that is empty but for a link to contracts/:

- `python`: in one interpreter; what a fence defines the next one sees.
- `console`: a line `$ command` is run by bash; `cd` and `export` last. The lines under it, if any, are the
  output expected: blanks do not count, `...` stands for anything, on a line of its own for any lines. A
  command continues after a trailing backslash and through a here-document. One that ends in `&` runs until
  the end of the file; the output under it is waited for.
- `sh`, `bash`: as `console` where it has `$ ` lines, otherwise one script.
- any language with `file=NAME` in the fence's info string: written to that file, not run.
- `no-run` in the info string: not run. It is for output, settings, and what sets up the machine itself.

Programs find the repository in VESSEL_REPO, and this interpreter's commands first on PATH.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

SHELLS = frozenset({"sh", "bash", "shell"})
RUNNABLE = SHELLS | {"python", "console"}
COMMAND_TIMEOUT_S = 180
STOP_TIMEOUT_S = 15

FENCE = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)$")
HERE_DOCUMENT = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")

# Answers every line of JSON with END and a word, after whatever the code printed.
END = "\x1eend of fence"
INTERPRETER = f"""
import json, sys, traceback
namespace = {{"__name__": "__main__"}}
for line in sys.stdin:
    fence = json.loads(line)
    try:
        exec(compile("\\n" * fence["line"] + fence["text"], fence["file"], "exec"), namespace)
        outcome = "ok"
    except BaseException:
        traceback.print_exc()
        outcome = "failed"
    print({END!r}, outcome, flush=True)
"""


class DocumentError(AssertionError):
    """An example did not do what the document says; the message begins with file:line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block. line: that of the opening fence, from 1. file: where `file=` wants it written."""

    language: str
    text: str
    line: int
    file: str = ""
    no_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A line of a console with the output that the document shows under it, if any."""

    text: str
    line: int
    expected: str = ""

    @property
    def in_background(self) -> bool:
        """Whether it goes on while the next one runs."""
        return self.text.endswith("&") and not self.text.endswith("&&")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a file's fences, by their lines."""

    run: list[int] = field(default_factory=list)
    not_run: list[int] = field(default_factory=list)


def fences(markdown: str) -> Iterator[Fence]:
    """Yield the fenced blocks of a text in order; DocumentError where one is not closed."""
    lines = iter(enumerate(markdown.splitlines(), start=1))
    for number, line in lines:
        opening = FENCE.match(line)
        if not opening:
            continue
        text = []
        for _, inner in lines:
            closing = FENCE.match(inner)
            if closing and closing["mark"].startswith(opening["mark"]) and not closing["info"].strip():
                break
            text.append(inner.removeprefix(opening["indent"]))
        else:
            raise DocumentError(f"line {number}: the fence is not closed")
        language, *words = opening["info"].split() or [""]
        files = [word.removeprefix("file=") for word in words if word.startswith("file=")]
        yield Fence(
            language=language,
            text="".join(f"{line}\n" for line in text),
            line=number,
            file=files[0] if files else "",
            no_run="no-run" in words,
        )


def commands(fence: Fence) -> list[Command]:
    """Return the commands of a shell fence; a script without prompts is one command."""
    lines = fence.text.splitlines()
    if fence.language in SHELLS and not any(line.startswith("$ ") for line in lines):
        return [Command(text=f"set -e\n{fence.text}", line=fence.line + 1)]
    found: list[Command] = []
    while lines:
        number = fence.line + len(fence.text.splitlines()) - len(lines) + 1
        if not lines[0].startswith("$ "):
            raise DocumentError(f"line {number}: a console begins with a command: `$ ...`")
        text = lines.pop(0)[2:]
        while text.endswith("\\") and lines:
            text += "\n" + lines.pop(0).removeprefix("> ")
        here = HERE_DOCUMENT.search(text)
        while here and lines:
            text += "\n" + lines.pop(0)
            if text.rsplit("\n", 1)[1].strip() == here[2]:
                break
        expected = []
        while lines and not lines[0].startswith("$ "):
            expected.append(lines.pop(0))
        found.append(Command(text=text.strip(), line=number, expected="\n".join(expected)))
    return found


def matches(expected: str, output: str) -> bool:
    """Tell whether output is as expected: blanks do not count, `...` stands for anything."""
    pattern = ""
    for line in filter(None, map(_without_blanks, expected.splitlines())):
        parts = [re.escape(part) for part in line.split("...")]
        pattern += r"(?:[^\n]*\n)*?" if line == "..." else r"[^\n]*".join(parts) + r"\n"
    actual = "".join(f"{line}\n" for line in map(_without_blanks, output.splitlines()) if line)
    return re.fullmatch(pattern, actual) is not None


def _without_blanks(line: str) -> str:
    return "".join(line.split())


class Program:
    """A running program with its output so far; leaving the context ends its whole process group."""

    def __init__(
        self, arguments: list[str], *, folder: Path, environment: dict[str, str], listens: bool = False
    ) -> None:
        """Start it in a group of its own. listens: `send` is used, otherwise it has no input."""
        self._process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE if listens else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._closed = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stop in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, stop)
            except (ProcessLookupError, PermissionError):
                break
            # The pipe closes when the last of the group has gone.
            self._reader.join(STOP_TIMEOUT_S)
            if not self._reader.is_alive():
                break
        self._process.wait(STOP_TIMEOUT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe and not self._reader.is_alive():
                pipe.close()

    @property
    def output(self) -> str:
        """What it has printed so far."""
        with self._changed:
            return "".join(self._lines)

    @property
    def closed(self) -> bool:
        """Whether it can print nothing more."""
        return self._closed

    def send(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def status(self) -> int:
        """Return its exit status; it has ended."""
        return self._process.wait(STOP_TIMEOUT_S)

    def wait_for(self, condition: Callable[[str], bool], timeout_s: float) -> bool:
        """Wait until its output meets the condition, or nothing more can come, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or condition("".join(self._lines)), timeout_s)
            return condition("".join(self._lines))

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Reader:
    """Does what a person does who follows one document: a folder, a shell, an interpreter."""

    def __init__(self, name: str, *, folder: Path, repository: Path, programs: ExitStack) -> None:
        """Begin in an empty folder; what is started ends with `programs`."""
        self._name = name
        self._folder = folder
        self._programs = programs
        self._interpreter: Program | None = None
        self._state = folder.with_name(f"{folder.name}.state")
        self._background: list[tuple[Command, Program]] = []
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONUNBUFFERED": "1",
            "TERM": "dumb",
            "VESSEL_REPO": str(repository),
        }
        self._state.write_text(f"cd '{folder}'\n")

    def follow(self, fence: Fence) -> None:
        """Run one fence; DocumentError says where and why it failed."""
        if fence.file:
            path = self._folder / fence.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fence.text)
        elif fence.language == "python":
            self._python(fence)
        else:
            for command in commands(fence):
                self._command(command)

    def _python(self, fence: Fence) -> None:
        if self._interpreter is None:
            self._interpreter = self._start([sys.executable, "-c", INTERPRETER], listens=True)
        before = len(self._interpreter.output)
        self._interpreter.send(json.dumps({"text": fence.text, "line": fence.line, "file": self._name}))
        ended = self._interpreter.wait_for(lambda output: END in output[before:], COMMAND_TIMEOUT_S)
        output, _, outcome = self._interpreter.output[before:].partition(END)
        if not ended or outcome.strip() != "ok":
            raise self._error(fence.line, "the Python code failed" if ended else "it did not end", output)

    def _command(self, command: Command) -> None:
        if command.in_background:
            program = self._start(["bash", "-c", f'. "{self._state}"\n{command.text.removesuffix("&")}'])
            self._background.append((command, program))
            if command.expected and not program.wait_for(
                lambda output: matches(f"...\n{command.expected}\n...", output), COMMAND_TIMEOUT_S
            ):
                raise self._error(
                    command.line, f"`{command.text}` did not print:\n{command.expected}", program.output
                )
            return
        # A process of its own for every command; what the next one inherits goes through the state file.
        keep = f'{{ export -p; printf "cd %q\\n" "$PWD"; }} >"{self._state}"'
        with Program(
            ["bash", "-c", f". \"{self._state}\"\ntrap '{keep}' EXIT\n{command.text}"],
            folder=self._folder,
            environment=self._environment,
        ) as program:
            program.wait_for(lambda _: program.closed, COMMAND_TIMEOUT_S)
            if not program.closed:
                raise self._error(command.line, f"`{command.text}` did not end", program.output)
            status = program.status()
        if status != 0:
            raise self._error(command.line, f"`{command.text}` ended with {status}", program.output)
        if command.expected and not matches(command.expected, program.output):
            raise self._error(
                command.line, f"`{command.text}` should print:\n{command.expected}", program.output
            )

    def _start(self, arguments: list[str], *, listens: bool = False) -> Program:
        program = Program(arguments, folder=self._folder, environment=self._environment, listens=listens)
        return self._programs.enter_context(program)

    def _error(self, line: int, problem: str, output: str) -> DocumentError:
        shown = [f"{self._name}:{line}: {problem}", "-- it printed:", output.rstrip()]
        for command, program in self._background:
            shown += [f"-- `{command.text}` of line {command.line} printed:", program.output.rstrip()]
        return DocumentError("\n".join(shown))


def run(path: Path, *, folder: Path, repository: Path) -> Outcome:
    """Run a document's examples in an empty folder and tell which; DocumentError at the first that fails."""
    outcome = Outcome()
    with ExitStack() as programs:
        reader = Reader(path.name, folder=folder, repository=repository, programs=programs)
        for fence in fences(path.read_text()):
            if fence.no_run:
                outcome.not_run.append(fence.line)
            elif fence.file or fence.language in RUNNABLE:
                reader.follow(fence)
                outcome.run.append(fence.line)
    return outcome
