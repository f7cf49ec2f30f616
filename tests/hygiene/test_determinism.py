"""What executes blocks has no clock, randomness, environment, hash order or floats."""

from __future__ import annotations

from pathlib import Path

import pytest

from hygiene.determinism import findings

REPOSITORY = Path(__file__).parents[2]

# What executes blocks ...
SCOPE = (
    "platform/vessel/primitives",
    "platform/vessel/database",
    "platform/vessel/container",
    "platform/vessel/processing",
    "vm_evm/vessel_evm",
)
# ... less what lies in those folders and does not: a module or a folder of that name.
OUTSIDE = (
    "platform/vessel/container/http_manners",
    "platform/vessel/container/plugin",
    "platform/vessel/container/registry",
    "platform/vessel/container/remote",
    "platform/vessel/container/supervisor",
    "vm_evm/vessel_evm/gateway",
)


@pytest.mark.slow
def test_what_executes_blocks_is_deterministic() -> None:
    outside = {REPOSITORY / path for path in OUTSIDE}
    found = [
        f"{path.relative_to(REPOSITORY)}:{finding}"
        for folder in SCOPE
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        if outside.isdisjoint({path.with_suffix(""), *path.parents})
        for finding in findings(path.read_text())
    ]
    assert not found, "\n" + "\n".join(found)


def test_the_scope_exists() -> None:
    assert [folder for folder in SCOPE if not (REPOSITORY / folder).is_dir()] == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ("clock", "import time\nnow = time.time()"),
        ("clock", "import time as t\nnow = t.monotonic_ns()"),
        ("clock", "from time import perf_counter as tick\nnow = tick()"),
        ("clock", "import time\ndef wait(clock=time.monotonic): ..."),
        ("clock", "from datetime import UTC, datetime\nnow = datetime.now(UTC)"),
        ("clock", "import datetime\nnow = datetime.datetime.now()"),
        ("randomness", "import random"),
        ("randomness", "from secrets import token_bytes"),
        ("randomness", "def make():\n    import uuid"),
        ("randomness", "import os\nseed = os.urandom(32)"),
        ("environment", "import os\nhome = os.environ['HOME']"),
        ("environment", "from os import getenv\nhome = getenv('HOME')"),
        ("hash", "bucket = hash(key) % 16"),
        ("hash", "buckets = map(hash, keys)"),
        ("id", "name = id(thing)"),
        ("id", "things.sort(key=id)"),
        ("set-order", "for key in set(keys): ..."),
        ("set-order", "for key in {1, 2}: ..."),
        ("set-order", "keys = [key for key in {word for word in words}]"),
        ("set-order", "keys = {key: 1 for key in set(words)}"),
        ("set-order", "keys = list(set(words))"),
        ("set-order", "keys = tuple({1, 2})"),
        ("set-order", "line = ', '.join(set(words))"),
        ("set-order", "line = b''.join(word for word in set(words))"),
        ("set-order", "keys = [*set(words)]"),
        ("set-order", "for key in before.keys() - after.keys(): ..."),
        ("set-order", "for key in set(a) | b: ..."),
        ("set-order", "for key in set(a).union(b): ..."),
        ("set-order", "def walk():\n    seen = set()\n    for key in seen: ..."),
        ("set-order", "def walk(seen: set[bytes]):\n    return list(seen)"),
        (
            "set-order",
            "class Walk:\n    def f(self):\n        self.seen = set()\n        return list(self.seen)",
        ),
        (
            "set-order",
            "class Walk:\n    seen: frozenset[int]\n    def f(self):\n        return list(self.seen)",
        ),
        ("set-order", "seen: set[int]\nfirst = seen.pop()"),
        ("float", "price = 1.5"),
        ("float", "price = float(text)"),
        ("float", "prices = map(float, texts)"),
        ("float", "price = total / count"),
        ("float", "price /= count"),
        ("float", "import math\nroot_of = math.sqrt(n)"),
        ("float", "from math import floor\nlow = floor(n)"),
    ],
)
def test_finds_it_on_the_last_line(rule: str, source: str) -> None:
    assert [(found.rule, found.line) for found in findings(source)] == [(rule, len(source.splitlines()))]


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep",
        "def execute(time_ms: int) -> int:\n    return time_ms // 1000",
        "from vessel.primitives import random",
        "class Key:\n    def __hash__(self) -> int:\n        return self.id",
        "def hash(data: bytes) -> bytes: ...\nroot = hash(data)",
        "def find(id: bytes) -> None:\n    look(id)",
        "digest = hasher.hash(data)",
        "for key in sorted(set(keys)): ...",
        "for key in keys: ...",
        "known = key in {1, 2}",
        "total = sum(value for value in set(values))",
        "keys = sorted(list(set(keys)))",
        "keys = {key for key in set(words)}",
        "def walk():\n    seen = set()\n    seen = sorted(seen)\n    for key in seen: ...",
        "for key in dict.fromkeys(words): ...",
        "mask = a | b\nfor bit in bits(mask): ...",
        "half = total // 2",
        "file = folder / name",
        "file = self.data_dir / 'blocks' / name",
        "file = base / 'blocks'",
        "import math\nroot_of = math.isqrt(n)",
        "timeout_s: float",
        "refused = isinstance(value, float)",
    ],
)
def test_lets_pass(source: str) -> None:
    assert findings(source) == []


def test_an_escape_says_why() -> None:
    assert findings("import random  # nondeterminism: only tests call it") == []
    assert findings("x = f(\n    1.5,  # nondeterminism: a log line\n)") == []
    assert [found.rule for found in findings("x = 1.5  # nondeterminism:")] == ["escape", "float"]


def test_an_escape_that_escapes_nothing_is_found() -> None:
    (found,) = findings("x = 1  # nondeterminism: it once was a float")
    assert (found.line, found.rule) == (1, "escape")


def test_an_escape_in_a_string_is_none() -> None:
    (found,) = findings("x = ('# nondeterminism: no', 1.5)")
    assert found.rule == "float"
