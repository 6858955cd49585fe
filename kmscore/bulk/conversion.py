"""The layouts of a job: v1, or the service's, on each side."""

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kmscore._typecheck import check_instance
from kmscore.keyring import KeyProvider, Keyring
from kmscore.layouts import V1, BlobLayout

if TYPE_CHECKING:
    from kmscore.alibaba import Profile

MaybeProfile: TypeAlias = "Profile | None"
"""A profile; `None` is `Profile.V1`."""


class Conversion(NamedTuple):
    """The layouts of the sources and of the results."""

    source: BlobLayout = V1
    """The layout of the blobs that are read."""

    destination: BlobLayout = V1
    """The layout of the results; the same object if the layouts are equal."""

    asymmetric_destination: BlobLayout = V1
    """The layout of the results of asymmetric ciphertexts, with their payload."""


def conversion_of(
    source_profile: MaybeProfile, destination_profile: MaybeProfile, *, allow_ambiguous: bool
) -> Conversion:
    """Return the layouts of two profiles.

    Raises `TypeError`, and `ValueError` for one layout with two payloads. There, a second run could
    not recognise its results, and would change the plaintexts again.
    """
    check_instance(allow_ambiguous, bool, "allow_ambiguous")
    if source_profile is None and destination_profile is None:
        return Conversion()
    # A job in v1 does not need this package.
    from kmscore.alibaba.payloads import layout_of  # noqa: PLC0415
    from kmscore.alibaba.profile import Profile  # noqa: PLC0415
    from kmscore.alibaba.reencryption import layouts_between  # noqa: PLC0415

    profiles = []
    for name, given in (
        ("source_profile", source_profile),
        ("destination_profile", destination_profile),
    ):
        profile = Profile.V1 if given is None else given
        check_instance(profile, Profile, name)
        profiles.append(profile)
    source, destination = profiles
    if source.is_v1 == destination.is_v1 and source.payload is not destination.payload:
        raise ValueError("source_profile and destination_profile have one layout and two payloads")
    layouts = layouts_between(*profiles, allow_ambiguous=allow_ambiguous)
    return Conversion(*layouts, layout_of(profiles[1], allow_ambiguous=allow_ambiguous))


def keys_for(keys: KeyProvider, profile: MaybeProfile) -> KeyProvider:
    """Return keys that can find those of the source: for a keyring, an index of its versions.

    Raises `InvalidKeyError` if two keys of the keyring have the same version ID.
    """
    if type(keys) is not Keyring or profile is None or profile.is_v1:
        return keys
    from kmscore.alibaba import VersionIndex  # noqa: PLC0415 (most jobs are in v1)

    return VersionIndex(keys)
