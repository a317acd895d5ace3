"""The docstrings of this machine's Python standard library: real text that every machine has.

Python modules are parsed, not imported, so that nothing surprising runs (antigravity opens a
browser). Modules written in C have no source here; they are imported and asked.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

# Easter eggs, applications and tests that live in the library, and a C module that writes to the
# terminal when it is imported.
_LEFT_OUT = frozenset(
    {"antigravity", "idlelib", "lib2to3", "readline", "test", "tests", "this", "turtledemo"}
)
_LEFT_OUT_PREFIXES = ("_test", "_xx", "xx", "__")
_MIN_DOCSTRING = 20  # shorter ones say nothing that the name does not


@dataclass(frozen=True)
class Docstring:
    """The documentation of a module, class or function."""

    name: str  # as one writes it in code: json.dumps
    signature: str  # empty for modules and classes
    text: str
    source: str  # a path, or "built-in"
    line: int  # 0 for "built-in"


def standard_library() -> Iterator[Docstring]:
    """Every documented public module, class and function, each name once, in name order."""
    seen: set[str] = set()
    texts: set[str] = set()
    # Public names first: io.StringIO, not _pyio.StringIO, where both carry the same text.
    for name in sorted(sys.stdlib_module_names, key=lambda name: (name.startswith("_"), name)):
        for found in _module(name):
            if found.name not in seen and found.text not in texts:
                seen.add(found.name)
                texts.add(found.text)
                yield found


def _module(name: str) -> Iterator[Docstring]:
    if any(part in _LEFT_OUT or part.startswith(_LEFT_OUT_PREFIXES) for part in name.split(".")):
        return
    if name in sys.builtin_module_names:
        yield from _compiled(name)
        return
    spec = _spec(name)
    if spec is None:
        return  # not built on this platform
    private = any(part.startswith("_") for part in name.split("."))
    if private and not isinstance(spec.loader, ExtensionFileLoader):
        return  # _pyio and its like repeat what the public module says
    if isinstance(spec.loader, ExtensionFileLoader):
        yield from _compiled(name)
    elif spec.origin and spec.origin.endswith(".py"):
        yield from _parsed(name, Path(spec.origin))
    for package in spec.submodule_search_locations or []:
        for module in pkgutil.iter_modules([package]):
            yield from _module(f"{name}.{module.name}")


def _spec(name: str) -> ModuleSpec | None:
    """Where the module is, without importing its parents as importlib.util.find_spec would."""
    folders: list[str] | None = None
    spec: ModuleSpec | None = None
    parts = name.split(".")
    for depth in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: depth + 1]), folders)
        if spec is None:
            return None
        folders = list(spec.submodule_search_locations or [])
    return spec


def _parsed(module: str, source: Path) -> Iterator[Docstring]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in old modules
            tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    text = ast.get_docstring(tree)
    if text and len(text) >= _MIN_DOCSTRING:
        yield Docstring(module, "", text, str(source), 1)
    yield from _definitions(tree, module, source)


def _definitions(scope: ast.AST, prefix: str, source: Path) -> Iterator[Docstring]:
    for node in ast.iter_child_nodes(scope):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if isinstance(node, ast.If | ast.Try):  # definitions that depend on the platform
                yield from _definitions(node, prefix, source)
            continue
        if node.name.startswith("_"):
            continue
        name = f"{prefix}.{node.name}"
        text = ast.get_docstring(node)
        if text and len(text) >= _MIN_DOCSTRING:
            signature = "" if isinstance(node, ast.ClassDef) else _parameters(node)
            yield Docstring(name, signature, text, str(source), node.lineno)
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node, name, source)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    text = ast.unparse(function.args)
    return f"({re.sub(r'^(self|cls)(, /)?(, )?', '', text)})"


def _compiled(name: str) -> Iterator[Docstring]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated modules say so when imported
            module = importlib.import_module(name)
    except Exception:
        return  # a library that the module needs is missing on this machine
    text = inspect.getdoc(module)
    public = _public_name(name)
    if text and len(text) >= _MIN_DOCSTRING:
        yield Docstring(public, "", text, "built-in", 0)
    yield from _members(module, public)


def _members(holder: ModuleType | type, prefix: str) -> Iterator[Docstring]:
    for key, value in sorted(vars(holder).items()):
        if key.startswith("_") or not (inspect.isroutine(value) or inspect.isclass(value)):
            continue
        home = getattr(value, "__module__", None)
        name = (
            f"{_public_name(home)}.{key}" if inspect.isclass(value) and home else f"{prefix}.{key}"
        )
        text = inspect.getdoc(value)
        if text and len(text) >= _MIN_DOCSTRING:
            yield Docstring(name.removeprefix("builtins."), _signature(value), text, "built-in", 0)
        if inspect.isclass(value) and isinstance(holder, ModuleType):
            yield from _members(value, name)


def _signature(value: Any) -> str:
    # Not inspect.signature: it evaluates default values, and some of C's raise.
    text = getattr(value, "__text_signature__", None)
    if inspect.isclass(value) or not isinstance(text, str):
        return ""
    own = re.sub(r"\(\$\w+(, /)?(, )?", "(", text)
    return own.replace(", /)", ")")


def _public_name(module: str) -> str:
    """math for math, struct for _struct: the module that users import."""
    public = module.lstrip("_")
    return public if public in sys.stdlib_module_names else module
