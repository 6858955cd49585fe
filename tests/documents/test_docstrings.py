"""The public names are documented: arguments, results, errors and every field."""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from typing import Any

import pytest

PACKAGES = (
    *(
        "kmscore",
        "kmscore.audit",
        "kmscore.audit.render",
        "kmscore.bulk",
        "kmscore.tables",
        "kmscore.tables.database",
        "kmscore.keyfile",
        "kmscore.alibaba",
        "kmscore.emulator",
    ),
    *("kmscore.sm2", "kmscore.hazmat"),
)
RAISES_NOTHING = {
    "kmscore.PublicKey.__init__",
    "kmscore.alibaba.ALLOW_ALL",
    "kmscore.alibaba.ApiResponse.__init__",
    "kmscore.alibaba.KmsApi.serves",
    "kmscore.alibaba.ApiResponse.of_fault",
    "kmscore.alibaba.ApiResponse.of_result",
    "kmscore.alibaba.resource_name",
    "kmscore.alibaba.ACCEPT_REPLAYS",
    "kmscore.alibaba.ANONYMOUS",
    "kmscore.alibaba.direct_facts",
    "kmscore.alibaba.RejectedRequest.response",
    "kmscore.alibaba.TokenBucket.is_full",
    "kmscore.alibaba.TokenBucket.take",
    "kmscore.alibaba.VerifiedRequest.__init__",
    "kmscore.alibaba.ParsedRequest.__init__",
    "kmscore.emulator.Contents.aliases_of",
    "kmscore.emulator.Contents.with_alias",
    "kmscore.emulator.Contents.without_alias",
    "kmscore.emulator.Contents.without_deleted",
    "kmscore.emulator.KeyStore.key_resource",
    "kmscore.emulator.KeyStore.resolve",
    "kmscore.emulator.KeyStore.resource",
    "kmscore.emulator.KeyStore.suite_of",
    "kmscore.emulator.StoredKey.date_of",
    "kmscore.emulator.StoredKey.in_state",
    "kmscore.emulator.StoredKey.with_version",
    "kmscore.emulator.accept_all",
    "kmscore.emulator.management_actions",
    "kmscore.emulator.properties_text",
}
"""Functions with arguments that check none of them."""

_SECTION = re.compile(r"^(Args|Returns|Yields|Raises):$", re.MULTILINE)


def public_objects() -> Iterator[tuple[str, Any]]:
    """Yield every function and class in an `__all__`, by its full name."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) or inspect.isclass(value):
                yield f"{package}.{name}", value


def public_callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield every public function, constructor and method, by its full name."""
    for name, value in public_objects():
        if inspect.isfunction(value):
            yield name, value
            continue
        if issubclass(value, Enum | Exception):
            continue
        for member, raw in vars(value).items():
            function = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
            is_public = not member.startswith("_") or member == "__init__"
            is_ours = inspect.isfunction(function) and function.__module__.startswith("kmscore")
            if is_public and is_ours and function.__doc__:
                yield f"{name}.{member}", function


@cache
def parsed(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(inspect.getsource(importlib.import_module(module)))


def undocumented_fields(kind: type) -> set[str]:
    """Return the fields of a class that are not followed by a docstring."""
    for node in ast.walk(parsed(kind.__module__)):
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__:
            break
    else:
        pytest.fail(f"{kind.__name__} is not in {kind.__module__}")
    following = [*node.body[1:], ast.Pass()]
    return {
        statement.target.id
        for statement, next_one in zip(node.body, following, strict=True)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and not statement.target.id.startswith("_")
        and not (isinstance(next_one, ast.Expr) and isinstance(next_one.value, ast.Constant))
    }


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, id=name) for name, kind in public_objects() if inspect.isclass(kind)],
)
def test_every_field_has_a_docstring(kind: type) -> None:
    """The reference would otherwise show `Alias for field number 1`."""
    if kind.__module__.startswith("kmscore"):
        assert undocumented_fields(kind) == set()


@pytest.mark.parametrize(
    ("name", "function"),
    [pytest.param(name, function, id=name) for name, function in public_callables()],
)
def test_every_argument_result_and_error_is_documented(
    name: str, function: Callable[..., Any]
) -> None:
    """In the sections of the Google form; each argument is named."""
    doc = inspect.getdoc(function) or ""
    sections = {match[1] for match in _SECTION.finditer(doc)}
    signature = inspect.signature(function)
    arguments = [name for name in signature.parameters if name not in {"self", "cls"}]
    if arguments:
        assert "Args" in sections
        described = doc.partition("Args:\n")[2]
        missing = [
            argument
            for argument in arguments
            if not re.search(rf"^    \*?{argument}:", described, re.MULTILINE)
        ]
        assert missing == []
    if signature.return_annotation not in {None, "None"}:
        assert {"Returns", "Yields"} & sections
    if arguments:
        assert ("Raises" in sections) == (name not in RAISES_NOTHING)
