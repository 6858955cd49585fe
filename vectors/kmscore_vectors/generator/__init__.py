"""The second implementation, which the vectors come from.

It is written for being read beside the specification and shares no code with the library that the
vectors check: no parser, no cipher suite, no curve. A mistake would have to be made twice. Speed
and side channels are of no concern to it: it only ever meets test keys.
"""
