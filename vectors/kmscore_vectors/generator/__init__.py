"""The second implementation, which generates the vectors.

It follows the specification and shares no code with the library that the vectors check: no parser,
no cipher suite, no curve. A mistake would have to occur in both. Speed and side channels do not
matter here, because all keys are test keys.
"""
