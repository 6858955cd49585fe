"""The environment variables with which clients in other processes find a server."""

from typing import Final

ENDPOINT: Final = "KMSCORE_ENDPOINT"
"""The URL of the server. The clients of the vendor read no variable for it."""

ACCESS_KEY_ID: Final = "ALIBABA_CLOUD_ACCESS_KEY_ID"
ACCESS_KEY_SECRET: Final = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"  # noqa: S105 (the name of a variable)

CA_VARIABLES: Final = (
    *("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "ALIBABA_CLOUD_CA_BUNDLE"),
)
"""The variables that name a file of certificates: for Python, Go, Node.js, and the vendor."""


def environment_of(
    endpoint: str, *, access_key_id: str | None = None, ca_bundle: str | None = None
) -> dict[str, str]:
    """Return the variables without the secret of the access key."""
    variables = {ENDPOINT: endpoint}
    if access_key_id is not None:
        variables[ACCESS_KEY_ID] = access_key_id
    if ca_bundle is not None:
        variables |= dict.fromkeys(CA_VARIABLES, ca_bundle)
    return variables
