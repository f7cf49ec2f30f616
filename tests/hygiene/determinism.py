"""Looks in code that executes blocks for what can differ from one machine or one run to the next.

Rules: clock, randomness, environment, hash, id, set-order, float. What is meant is said on its line:
`# nondeterminism: <why it cannot reach a result>`. The search reads syntax, not types: it finds the
plain cases and leaves the rest to the reviewer.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# By full name; a trailing dot stands for everything in the module.
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "clock": (
        *(f"time.{name}{unit}" for name in ("time", "monotonic", "perf_counter") for unit in ("", "_ns")),
        *(f"time.{name}{unit}" for name in ("process_time", "thread_time") for unit in ("", "_ns")),
        *(f"time.{name}" for name in ("localtime", "gmtime", "ctime", "strftime", "clock_gettime")),
        *(f"datetime.datetime.{name}" for name in ("now", "utcnow", "today")),
        "datetime.date.today",
    ),
    "randomness": ("random.", "secrets.", "uuid.", "os.urandom", "os.getrandom"),
    "environment": ("os.environ", "os.getenv", "os.getpid", "os.cpu_count"),
}
# Modules whose very import is a finding.
FORBIDDEN_MODULES = {
    name.rstrip("."): rule for rule, names in FORBIDDEN.items() for name in names if name[-1] == "."
}
EXACT_MATH = frozenset({"comb", "factorial", "gcd", "isqrt", "lcm", "perm", "prod"})

# Calls that take the elements of a set in its own order, and those to which order makes no difference.
ORDERED_BY = frozenset({"list", "tuple", "enumerate", "iter", "zip", "map", "filter", "reversed"})
ORDER_FREE = frozenset({"sorted", "set", "frozenset", "sum", "any", "all", "min", "max", "len"})
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
SET_TYPES = frozenset({"set", "frozenset", "AbstractSet", "MutableSet"})
PATH_NAME = re.compile(r"(^|_)(path|dir|directory|folder|root)$", re.IGNORECASE)
ESCAPE = re.compile(r"#\s*nondeterminism:\s*(\S.*)?$")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """One place that breaks a rule."""

    line: int
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.line}: {self.rule}: {self.what}"


def findings(source: str) -> list[Finding]:
    """Return what breaks a rule in `source`, escapes taken into account, in the order of lines."""
    tree = ast.parse(source)
    escapes = _escapes(source)
    used: set[int] = set()
    kept: set[Finding] = set()
    for finding, last_line in _Search(tree).run():
        covering = [line for line in range(finding.line, last_line + 1) if line in escapes]
        used.update(covering)
        if not any(escapes[line] for line in covering):
            kept.add(finding)
    for line in escapes:
        if not escapes[line]:
            kept.add(Finding(line=line, rule="escape", what="says no reason after `# nondeterminism:`"))
        elif line not in used:
            kept.add(Finding(line=line, rule="escape", what="there is nothing on this line to escape"))
    return sorted(kept)


def _escapes(source: str) -> dict[int, str]:
    found = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        match = ESCAPE.match(token.string) if token.type == tokenize.COMMENT else None
        if match:
            found[token.start[0]] = match.group(1) or ""
    return found


class _Search:
    """One pass over a module."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.aliases = dict(_aliases(tree))
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.defined = {
            node.name
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        } | set(self.aliases)
        self.set_names, self.set_attributes = self._set_bindings()

    def run(self) -> Iterator[tuple[Finding, int]]:
        """Yield every finding with the last line of the expression it lies in."""
        for node in ast.walk(self.tree):
            for rule, what in self._look(node):
                line = getattr(node, "lineno", 1)
                yield Finding(line=line, rule=rule, what=what), getattr(node, "end_lineno", None) or line

    def _look(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield from self._import(node)
            case ast.Attribute() | ast.Name() if isinstance(node.ctx, ast.Load):
                yield from self._reference(node)
            case ast.Constant(value=float() | complex()):
                yield "float", f"the literal {node.value!r}"
            case ast.BinOp(op=ast.Div()) if not (_is_path(node.left) or _is_path(node.right)):
                yield "float", f"true division `{ast.unparse(node)}`; whole numbers divide with //"
            case ast.AugAssign(op=ast.Div()) if not _is_path(node.target):
                yield "float", f"true division `{ast.unparse(node)}`; whole numbers divide with //"
            case ast.For() | ast.AsyncFor() if self._is_set(node.iter):
                yield self._order(node.iter)
        yield from self._expanded(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
        names = (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
        )
        if isinstance(node, ast.ImportFrom) and node.level:
            return
        for name in names:
            rule = FORBIDDEN_MODULES.get(name.split(".")[0])
            if rule:
                yield rule, f"imports {name}"

    def _reference(self, node: ast.Attribute | ast.Name) -> Iterator[tuple[str, str]]:
        full = self._full_name(node)
        for rule, names in FORBIDDEN.items():
            if any(full == name or (name[-1] == "." and full.startswith(name)) for name in names):
                yield rule, full
        if full.startswith("math.") and full.removeprefix("math.") not in EXACT_MATH:
            yield "float", f"{full} calculates in floats"
        if isinstance(node, ast.Name) and node.id in {"hash", "id", "float"} - self.defined:
            parent = self.parents[node]
            called = isinstance(parent, ast.Call) and parent.func is node
            # As in map(hash, keys) and sort(key=id); isinstance(value, float) only asks.
            asked = isinstance(parent, ast.Call) and getattr(parent.func, "id", "") in {
                "isinstance",
                "issubclass",
            }
            handed_on = (
                isinstance(parent, ast.Call | ast.keyword) and not asked and not self._is_bound(node.id)
            )
            if not (called or handed_on):
                return
            if node.id == "float":
                yield "float", "float()"
            else:
                yield node.id, f"the builtin {node.id}() differs from process to process"

    def _expanded(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        """Yield the sets whose elements `node` takes in the order of the set."""
        match node:
            case ast.ListComp() | ast.DictComp() | ast.GeneratorExp():
                if isinstance(node, ast.GeneratorExp) and self._order_free(self.parents[node]):
                    return
                yield from (self._order(part.iter) for part in node.generators if self._is_set(part.iter))
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                yield from self._starred(elements)
            case ast.Call(func=function, args=arguments):
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                takes = (
                    name in {"join", "extend", "fromkeys", "writelines"}
                    if isinstance(function, ast.Attribute)
                    else name in ORDERED_BY
                )
                if takes and not self._order_free(self.parents[node]):
                    yield from (self._order(argument) for argument in arguments if self._is_set(argument))
                if not self._order_free(node):
                    yield from self._starred(arguments)
                if (
                    name == "pop"
                    and not arguments
                    and isinstance(function, ast.Attribute)
                    and self._is_set(function.value)
                ):
                    yield self._order(function.value)

    def _starred(self, elements: Iterable[ast.expr]) -> Iterator[tuple[str, str]]:
        for element in elements:
            if isinstance(element, ast.Starred) and self._is_set(element.value):
                yield self._order(element.value)

    @staticmethod
    def _order(node: ast.expr) -> tuple[str, str]:
        return "set-order", f"takes the elements of the set `{ast.unparse(node)}` as they come; use sorted()"

    @staticmethod
    def _order_free(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ORDER_FREE

    def _is_set(self, node: ast.expr | None) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Call(func=ast.Name(id="set" | "frozenset")):
                return True
            case ast.Call(func=ast.Attribute(attr=method, value=value)) if (
                method in SET_METHODS or method == "copy"
            ):
                return self._is_set(value)
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, SET_OPERATORS):
                return any(self._is_set(side) or _is_keys(side) for side in (left, right))
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_set(body) or self._is_set(orelse)
            case ast.Name(id=name):
                return any((scope, name) in self.set_names for scope in self._scopes(node))
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name in self.set_attributes
        return False

    def _set_bindings(self) -> tuple[set[tuple[ast.AST, str]], set[str]]:
        """Return the names (by scope) and attributes of self that only ever hold sets."""
        self.set_names, self.set_attributes = set(), set()
        sets: dict[tuple[ast.AST | None, str], list[bool]] = {}
        bound: list[tuple[ast.expr, bool]]
        for node in ast.walk(self.tree):
            match node:
                case ast.Assign():
                    bound = [(target, self._is_set(node.value)) for target in node.targets]
                case ast.AnnAssign():
                    bound = [(node.target, _is_set_type(node.annotation))]
                case ast.arg(arg=name, annotation=annotation):
                    scope = next(iter(self._scopes(node)))
                    sets.setdefault((scope, name), []).append(
                        annotation is not None and _is_set_type(annotation)
                    )
                    continue
                case _:
                    continue
            for target, is_set in bound:
                scope = next(self._scopes(target))
                if isinstance(target, ast.Name):
                    sets.setdefault((scope, target.id), []).append(is_set)
                    if isinstance(scope, ast.ClassDef):
                        sets.setdefault((None, target.id), []).append(is_set)
                elif isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == "self":
                    sets.setdefault((None, target.attr), []).append(is_set)
        always = {key for key, values in sets.items() if all(values)}
        return {(scope, name) for scope, name in always if scope}, {
            name for scope, name in always if not scope
        }

    def _scopes(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the functions, classes and the module around `node`, inside out."""
        while node in self.parents:
            node = self.parents[node]
            if isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.Module
            ):
                yield node

    def _is_bound(self, name: str) -> bool:
        """Tell whether the module gives `name` a meaning of its own anywhere."""
        return any(
            (isinstance(node, ast.arg) and node.arg == name)
            or (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
            for node in ast.walk(self.tree)
        )

    def _full_name(self, node: ast.expr) -> str:
        """Return time.time for `time.time`, and for `now` after `from time import time as now`."""
        if isinstance(node, ast.Attribute):
            base = self._full_name(node.value)
            return f"{base}.{node.attr}" if base else ""
        return self.aliases.get(node.id, "") if isinstance(node, ast.Name) else ""


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _is_path(node: ast.expr) -> bool:
    """Tell whether a side of `/` is likely a path: a string, a name that says so, or a join of such."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(PATH_NAME.search(name))
        case ast.Call(func=ast.Name(id="Path" | "PurePath")):
            return True
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _is_path(left) or _is_path(right)
    return False


def _is_keys(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys"


def _is_set_type(annotation: ast.expr) -> bool:
    base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return (base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")) in SET_TYPES
