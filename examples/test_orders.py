"""Test an application that calls the service, with pytest and the emulator, without a network.

    pip install '.[emulator]' alibabacloud-kms20160120 pytest  # in the root of a clone
    pytest -c /dev/null examples/test_orders.py  # without the options of the clone

`Cards` is the application. It has the client of the vendor, and does not know the emulator.
"""

import pytest
from alibabacloud_kms20160120 import models
from alibabacloud_tea_openapi.exceptions import ClientException

pytest_plugins = ["kmscore.emulator.pytest_plugin"]


class Cards:
    """Card numbers, encrypted by the service for one customer each."""

    def __init__(self, client):
        self.client, self.rows = client, {}

    def save(self, customer, number):
        request = models.EncryptRequest(
            key_id="alias/cards", plaintext=number, encryption_context={"customer": customer}
        )
        self.rows[customer] = self.client.encrypt(request).body.ciphertext_blob

    def load(self, customer, row=None):
        request = models.DecryptRequest(
            ciphertext_blob=self.rows[row or customer], encryption_context={"customer": customer}
        )
        return self.client.decrypt(request).body.plaintext


@pytest.fixture
def cards(kms):
    kms.create_key(alias="alias/cards")
    cards = Cards(kms.client())
    cards.save("acme", "4711")
    return cards


def test_a_card_comes_back(cards, kms):
    assert cards.load("acme") == "4711"
    assert [request.action for request in kms.requests] == ["Encrypt", "Decrypt"]


def test_the_row_of_another_customer_does_not_decrypt(cards):
    with pytest.raises(ClientException, match="InvalidParameter"):
        cards.load("bell", row="acme")


def test_a_limited_service_is_an_error(cards, kms):
    kms.fail_next("Rejected.Throttling")
    with pytest.raises(ClientException, match="Throttling"):
        cards.load("acme")
