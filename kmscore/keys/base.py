"""The base class of the three kinds of key, and the checks of their common arguments."""

from kmscore._typecheck import check_optional_text, check_text
from kmscore._values import Secret, representation
from kmscore.algorithms import KeySpec, KeyState
from kmscore.blob import MAX_ID_LENGTH, is_id
from kmscore.errors import InvalidKeyError


class KeyVersion(Secret):
    """One version of one key, as an immutable value that threads can share.

    Two key versions are equal only if they are the same object. The key material does not appear in
    `repr` or in errors. A key version cannot be pickled or copied.
    """

    __slots__ = ("__weakref__", "key_id", "key_version_id", "spec", "state")

    key_id: str
    """The key ID, 1 to 255 printable ASCII characters without space."""

    key_version_id: str
    """The key version ID, 1 to 255 printable ASCII characters without space."""

    spec: KeySpec
    """The algorithm and length of the key."""

    state: KeyState
    """The key state. Operations use a key only in the state `KeyState.ENABLED`."""

    def _identify(
        self, key_id: str, key_version_id: str, spec: KeySpec, state: KeyState | str
    ) -> None:
        """Check and set the attributes that every key version has."""
        check_identity(key_id, key_version_id, state)
        state = KeyState.of(state, "state")
        # Convert to plain str, because a subclass of str could compare equal to any ID.
        key_id, key_version_id = str.__str__(key_id), str.__str__(key_version_id)
        for name, text in (("key ID", key_id), ("key version ID", key_version_id)):
            if not is_id(text):
                raise InvalidKeyError(
                    f"{name} is not 1 to {MAX_ID_LENGTH} printable ASCII characters without space"
                )
        self._set(key_id=key_id, key_version_id=key_version_id, spec=spec, state=state)

    @representation
    def __repr__(self) -> str:
        """Return a text without the key material."""
        return (
            f"<{type(self).__name__} key_id={self.key_id!r}"
            f" key_version_id={self.key_version_id!r}"
            f" spec={self.spec.name} state={self.state.name}>"
        )


def check_identity(key_id: object, key_version_id: object, state: object) -> None:
    """Raise `TypeError` unless the arguments that all keys have in common are `str`."""
    check_text(key_id, "key_id")
    check_text(key_version_id, "key_version_id")
    check_text(state, "state")


def random_id(given: str | None, name: str) -> str:
    """Return `given`, or a random UUID if it is `None`; other types raise `TypeError`."""
    check_optional_text(given, name)
    if given is not None:
        return given
    import uuid  # noqa: PLC0415 (saves the import where IDs are given)

    return str(uuid.uuid4())
