"""The management actions on key versions, and GetPublicKey."""

from kmscore.algorithms import KeyState
from kmscore.alibaba.actions import Fields, Request
from kmscore.alibaba.service_errors import UNSUPPORTED_OPERATION, RequestError
from kmscore.emulator.contents import Contents
from kmscore.emulator.descriptions import key_version, page_of
from kmscore.emulator.store import KeyStore
from kmscore.errors import KeyStateError
from kmscore.keys import SymmetricKey


def create_key_version(store: KeyStore, request: Request) -> Fields:
    """Add a new primary version to a key."""
    key_id = request.opening_key("CreateKeyVersion")
    key = store.contents().find(key_id)
    version = store.generate(key.spec, key_id)
    date = store.now()

    def change(contents: Contents) -> Contents:
        key = contents.find(key_id)
        if key.state is not KeyState.ENABLED:
            raise KeyStateError(key.state.value)
        return contents.with_key(key.with_version(version, date))

    contents = store.change(change, is_dry_run=request.is_dry_run)
    if not request.is_dry_run:
        request.uses.destination = key_id, version.key_version_id
    return {"KeyVersion": key_version(contents.find(key_id), version)}


def list_key_versions(store: KeyStore, request: Request) -> Fields:
    """Return one page of the versions of a key."""
    key = store.contents().find(request.opening_key("ListKeyVersions"))
    items = [key_version(key, version) for version in key.versions]
    return page_of(request.values, items, "KeyVersions", "KeyVersion")


def describe_key_version(store: KeyStore, request: Request) -> Fields:
    """Return one version of a key."""
    key_id = request.opening_key("DescribeKeyVersion")
    contents = store.contents()
    version = contents.index.version(key_id, request.values["KeyVersionId"])
    return {"KeyVersion": key_version(contents.find(key_id), version)}


def get_public_key(store: KeyStore, request: Request) -> Fields:
    """Return the public key of an asymmetric key version."""
    key_id = request.opening_key("GetPublicKey")
    version = store.version(key_id, request.values["KeyVersionId"])
    request.uses.source = key_id, version.key_version_id
    if isinstance(version, SymmetricKey):
        raise RequestError(UNSUPPORTED_OPERATION)
    if version.state is not KeyState.ENABLED:
        raise KeyStateError(version.state.value)
    return {
        "KeyId": key_id,
        "KeyVersionId": version.key_version_id,
        "PublicKey": version.public_key.to_pem().decode("ascii"),
    }
