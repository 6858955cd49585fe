"""The valid calls that the tests of operations change."""

import pytest
from support.strategies import Call, valid_calls

from kmscore import RsaKey, Sm2Key


@pytest.fixture(scope="module")
def calls(rsa_key: RsaKey, sm2_key: Sm2Key) -> dict[str, Call]:
    """Return a valid call of every operation."""
    return valid_calls(rsa_key, sm2_key)
