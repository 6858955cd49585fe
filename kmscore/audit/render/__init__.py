"""The forms of a trace and of an explanation: a text, a JSON document, and a page for a browser.

By default, only public values are shown. `reveal` also shows the plaintext, or the values that
decrypt one ciphertext. Key material is never shown.
"""

from kmscore.audit.render.document import json
from kmscore.audit.render.explanation import findings_json, findings_text
from kmscore.audit.render.page import html
from kmscore.audit.render.plain import text

__all__ = ["findings_json", "findings_text", "html", "json", "text"]
