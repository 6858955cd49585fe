"""The options of `serve`, as the objects that a server takes."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Final

from kmscore.alibaba import ALLOW_ALL, InvalidPolicyError, Throttle
from kmscore.alibaba.policy import PolicyCallable
from kmscore.alibaba.wsgi import Authenticate
from kmscore.cli.files import read_file
from kmscore.cli.keyring_file import warn_if_readable
from kmscore.cli.options import ProfileName
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import say
from kmscore.emulator import AccessKeys, accept_all, read_policy
from kmscore.emulator.access_keys import ANONYMOUS_CALLER
from kmscore.emulator.policies import warnings_of

VARIABLE: Final = "KMSCORE_ACCESS_KEYS"
_MOST: Final = 1 << 24  # bytes of a file with a seed, a policy or access keys


class ServedProfile(StrEnum):
    """The layout of the blobs of a server, whose plaintexts are opaque texts."""

    ALIBABA = "alibaba"
    ALIBABA_INSTANCE = "alibaba-instance"
    V1 = "v1"


PROFILES: Final = {
    ServedProfile.ALIBABA: ProfileName.ALIBABA,
    ServedProfile.ALIBABA_INSTANCE: ProfileName.ALIBABA_INSTANCE,
    ServedProfile.V1: ProfileName.V1_TEXT,
}


def verifier_of(path: Path | None, *, is_anonymous: bool) -> Authenticate:
    """Return the verifier of requests; an empty variable is not set. Raises `FileProblem`."""
    variable = os.environ.get(VARIABLE) or None
    if is_anonymous:
        if path is not None:
            raise FileProblem("--anonymous and --access-keys exclude each other")
        if variable is not None:
            raise FileProblem(
                f"--anonymous: {VARIABLE} has access keys; unset it, or leave out --anonymous"
            )
        return accept_all
    if path is None and variable is None:
        raise FileProblem(f"give --access-keys, set {VARIABLE}, or give --anonymous")
    if path is not None:
        text, what = read_text(path), str(path)
        warn_if_readable(path)
    else:
        text, what = str(variable), VARIABLE
    try:
        return AccessKeys.from_text(text)
    except ValueError as error:
        raise FileProblem(f"{what}: {error}") from None


def policy_of(path: Path | None, verifier: Authenticate) -> PolicyCallable:
    """Return the policy of a file, and print its warnings. Raises `FileProblem`."""
    if path is None:
        return ALLOW_ALL
    text = read_text(path)
    try:
        policy = read_policy(text)
    except InvalidPolicyError as error:
        raise FileProblem(f"{path}: {error}") from None
    callers = verifier.ids if isinstance(verifier, AccessKeys) else [ANONYMOUS_CALLER]
    for warning in warnings_of(text, callers):
        say(f"warning: {path}: {warning}")
    return policy


def throttle_of(qps: float | None) -> Throttle | None:
    """Return the limit of requests. Raises `FileProblem`."""
    try:
        return None if qps is None else Throttle(qps, max(1.0, qps))
    except ValueError as error:
        raise FileProblem(f"--qps: {error}") from None


def read_text(path: Path) -> str:
    """Return the text of a file. Raises `FileProblem`."""
    try:
        return read_file(path, limit=_MOST).decode("utf-8")
    except UnicodeDecodeError:
        raise FileProblem(f"{path}: not UTF-8") from None
