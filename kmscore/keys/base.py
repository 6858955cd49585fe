"""What the three kinds of key have in common: each value is one key version."""

from kmscore._typecheck import check_optional_text, check_text
from kmscore._values import Secret, representation
from kmscore.algorithms import KeySpec, KeyState
from kmscore.blob import MAX_ID_LENGTH, is_id
from kmscore.errors import InvalidKeyError


class KeyVersion(Secret):
    """One version of one key, as an immutable value that may be shared between threads.

    Two of them are equal only if they are the same object. None shows its material in `repr` or
    in an error, and none can be pickled or copied.
    """

    __slots__ = ("__weakref__", "key_id", "key_version_id", "spec", "state")

    key_id: str
    """1 to 255 printable ASCII characters."""

    key_version_id: str
    """1 to 255 printable ASCII characters."""

    spec: KeySpec
    """What the key is made of."""

    state: KeyState
    """Anything but `KeyState.ENABLED` refuses every use."""

    def _identify(
        self, key_id: str, key_version_id: str, spec: KeySpec, state: KeyState | str
    ) -> None:
        """Check and set what every key version has."""
        check_identity(key_id, key_version_id, state)
        state = KeyState.of(state, "state")
        # Exactly str: a subclass could compare equal to whatever it is asked for.
        key_id, key_version_id = str.__str__(key_id), str.__str__(key_version_id)
        for name, text in (("key ID", key_id), ("key version ID", key_version_id)):
            if not is_id(text):
                raise InvalidKeyError(
                    f"{name} is not 1 to {MAX_ID_LENGTH} printable ASCII characters"
                )
        self._set(key_id=key_id, key_version_id=key_version_id, spec=spec, state=state)

    @representation
    def __repr__(self) -> str:
        """Show everything but the material."""
        return (
            f"<{type(self).__name__} key_id={self.key_id!r}"
            f" key_version_id={self.key_version_id!r}"
            f" spec={self.spec.name} state={self.state.name}>"
        )


def check_identity(key_id: object, key_version_id: object, state: object) -> None:
    """Raise `TypeError` unless the arguments that every key takes are `str`."""
    check_text(key_id, "key_id")
    check_text(key_version_id, "key_version_id")
    check_text(state, "state")


def random_id(given: str | None, name: str) -> str:
    """Return `given`, or a random UUID in its place."""
    check_optional_text(given, name)
    if given is not None:
        return given
    import uuid  # noqa: PLC0415 (nobody who names keys pays for it)

    return str(uuid.uuid4())
