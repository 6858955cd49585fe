"""Re-encrypt ciphertexts behind a web framework, here Flask (`pip install flask`).

    KMSCORE_PASSPHRASE=... python web_service.py orders.keyring [PORT]
    curl --json '{"ciphertext_blob": "...", "destination_key_id": "orders", "context": "{}"}' \
        http://127.0.0.1:PORT/reencrypt

No response has a plaintext. The service authenticates no caller: add that before its first use.
`wsgiref` is a server for tests; any other WSGI server takes the result of `make_app`.
"""

import base64
import os
import sys
from pathlib import Path
from wsgiref.simple_server import make_server

from flask import Flask, abort, request

import kmscore
from kmscore import CiphertextBlob, EncryptionContext, KeyProvider, KmsCoreError, keyfile


def make_app(keys: KeyProvider) -> Flask:
    """Return the application. It keeps the keys, because they are expensive to make."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20  # bytes; the largest blob and context take less

    @app.post("/reencrypt")
    def reencrypt() -> dict[str, str]:
        match request.get_json():
            # The context is a text, as in the service: its parser rejects repeated keys.
            case {"ciphertext_blob": str(text), "destination_key_id": str(to), "context": str(c)}:
                context = EncryptionContext.from_json(c)
                blob = CiphertextBlob.from_base64(text).serialize()
            case _:
                abort(400)
        contexts = {"source_context": context, "destination_context": context}
        moved = kmscore.reencrypt(keys, blob, to, **contexts)
        return {"ciphertext_blob": base64.b64encode(moved.ciphertext_blob or b"").decode()}

    @app.errorhandler(KmsCoreError)
    @app.errorhandler(RecursionError)  # of JSON with a thousand levels
    def reject(error: Exception) -> tuple[dict[str, str], int]:
        return {"error": getattr(error, "code", "too_deep")}, 400

    return app


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        print("usage: web_service.py KEYRING [PORT]", file=sys.stderr)
        sys.exit(2)
    file, passphrase = Path(sys.argv[1]), os.environ["KMSCORE_PASSPHRASE"].encode()
    keyring = keyfile.open_keyring(file.read_bytes(), passphrase)
    with make_server("127.0.0.1", int((sys.argv[2:] or ["0"])[0]), make_app(keyring)) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
