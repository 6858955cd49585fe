"""The audit kit: every byte and every value of one operation, for those who hold the keys.

A trace shows each step of an operation on the data of an auditor. `render.text`, `render.json` and
`render.html` make a text, a JSON document and a page of it:

    from kmscore.audit import render, trace_decrypt
    print(render.text(trace_decrypt(keyring, blob, {"tenant": "acme"})))

The arithmetic in a trace is independent of the library. The library runs on the same input, and the
trace compares the two; `replay` computes every value once more. A trace that agrees therefore shows
the values that the library used.

`explain` and `explain_asymmetric` search for the context, the key or the bytes with which a
ciphertext would decrypt.

A trace of a failed operation has no value that was computed with a key. Still, use this package
only where the keys may be used: SECURITY.md describes the readers of a trace.
"""

from kmscore.audit.explaining import explain
from kmscore.audit.explaining_asymmetric import explain_asymmetric
from kmscore.audit.explanation import Budget, Explanation, Finding, Verdict
from kmscore.audit.records import (
    ByteMap,
    Check,
    Field,
    Formula,
    Secrecy,
    Step,
    Tie,
    Trace,
    Value,
)
from kmscore.audit.replaying import Replay, replay
from kmscore.audit.tracing import (
    trace_asymmetric_decrypt,
    trace_decrypt,
    trace_encrypt,
    trace_reencrypt,
)

__all__ = [
    "Budget",
    "ByteMap",
    "Check",
    "Explanation",
    "Field",
    "Finding",
    "Formula",
    "Replay",
    "Secrecy",
    "Step",
    "Tie",
    "Trace",
    "Value",
    "Verdict",
    "explain",
    "explain_asymmetric",
    "replay",
    "trace_asymmetric_decrypt",
    "trace_decrypt",
    "trace_encrypt",
    "trace_reencrypt",
]
