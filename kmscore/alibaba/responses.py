"""A response of the service, as JSON and as XML."""

import json
import re
from typing import Final
from xml.etree import ElementTree as ET

from kmscore._values import Secret, representation
from kmscore.alibaba.service_errors import Fault

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

JSON_CONTENT_TYPE: Final = "application/json;charset=utf-8"
XML_CONTENT_TYPE: Final = "text/xml;charset=utf-8"
"""The only one with which the vendor's client parses an error in XML."""


class ApiResponse(Secret):
    """A response: `status` is the HTTP status, `body` the fields by name.

    `repr` shows neither a plaintext nor any other field but the code of an error. It may hold a
    plaintext, so it is not pickled or copied.
    """

    __slots__ = ("_root", "body", "status")

    status: int
    """200, or that of the error."""

    body: dict[str, str | int]
    """The fields of the response, `RequestId` among them.

    A plaintext is in Base64, or the text that was encrypted.
    """

    _root: str

    def __init__(self, status: int, body: dict[str, str | int], root: str) -> None:
        """Take the parts; `root` is the name of the XML's outermost element."""
        self._set(status=status, body=body, _root=root)

    @classmethod
    def of_result(cls, action: str, fields: dict[str, str], request_id: str) -> "ApiResponse":
        """Return the response to an action that succeeded."""
        return cls(200, {**fields, "RequestId": request_id}, f"{action}Response")

    @classmethod
    def of_fault(cls, fault: Fault, request_id: str) -> "ApiResponse":
        """Return the response to a request that failed."""
        return cls(
            fault.status,
            {
                "HttpStatus": fault.status,
                "Code": fault.code,
                "Message": fault.message,
                "RequestId": request_id,
            },
            "Error",
        )

    def json(self) -> bytes:
        """Return the body as JSON, in ASCII; its type is `JSON_CONTENT_TYPE`."""
        return json.dumps(self.body).encode("ascii")

    def xml(self) -> bytes:
        """Return the body as XML in UTF-8; its type is `XML_CONTENT_TYPE`.

        Raises `ValueError` if a plaintext is a text with a character that XML 1.0 does not have,
        such as NUL (section 2.2): it can be sent only as JSON.
        """
        root = ET.Element(self._root)
        for name, value in self.body.items():
            text = str(value)
            if _NOT_XML.search(text) is not None:
                raise ValueError(f"{name} has a character that XML does not have; send JSON")
            ET.SubElement(root, name).text = text
        document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        # A parser would read a carriage return as a line feed (section 2.11).
        return document.replace(b"\r", b"&#13;")

    @representation
    def __repr__(self) -> str:
        """Show the status, and the code of an error."""
        return f"<ApiResponse {self.status} {self.body.get('Code', 'OK')}>"
