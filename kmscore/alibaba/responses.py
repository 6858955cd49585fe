"""A response of the service, as JSON and as XML."""

import json
import re
from typing import Any, Final
from xml.etree import ElementTree as ET

from kmscore._values import Secret, representation
from kmscore.alibaba.service_errors import Fault

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

JSON_CONTENT_TYPE: Final = "application/json;charset=utf-8"
XML_CONTENT_TYPE: Final = "text/xml;charset=utf-8"
"""The only content type with which the vendor's client parses an error in XML."""


class ApiResponse(Secret):
    """A response of the service, as returned by `KmsApi.call`.

    A response can contain a plaintext, so `pickle` and `copy` raise `TypeError`. `repr` shows only
    the status and the code of an error.
    """

    __slots__ = ("_root", "body", "status")

    status: int
    """The HTTP status, 200 or the status of the error."""

    body: dict[str, Any]
    """The fields of the response by name, with `RequestId` among them.

    A field is a text, a number, or for other actions than the nine an object or a list of them.
    A plaintext is in Base64; if the payload is `Payload.BASE64`, `Plaintext` of Decrypt is the text
    that was encrypted.
    """

    _root: str

    def __init__(self, status: int, body: dict[str, Any], root: str) -> None:
        """Create a response from its parts.

        Args:
            status: The HTTP status.
            body: The fields of the response by name.
            root: The name of the root element in XML.
        """
        self._set(status=status, body=body, _root=root)

    @classmethod
    def of_result(cls, action: str, fields: dict[str, Any], request_id: str) -> "ApiResponse":
        """Create the response of a successful action.

        Args:
            action: The name of the action.
            fields: The fields of the result by name.
            request_id: The request ID.

        Returns:
            The response, with status 200.
        """
        return cls(200, {**fields, "RequestId": request_id}, f"{action}Response")

    @classmethod
    def of_fault(cls, fault: Fault, request_id: str) -> "ApiResponse":
        """Create the response of a failed request.

        Args:
            fault: The error of the service.
            request_id: The request ID.

        Returns:
            The response, with the status of the error.
        """
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
        """Return the body as JSON, for the content type `JSON_CONTENT_TYPE`.

        Returns:
            The JSON text in ASCII.
        """
        return json.dumps(self.body).encode("ascii")

    def xml(self) -> bytes:
        """Return the body as XML, for the content type `XML_CONTENT_TYPE`.

        A list has one element for each of its items, under the name of the list.

        Returns:
            The XML document in UTF-8.

        Raises:
            ValueError: If a field contains a character that XML 1.0 does not have, such as NUL
                (section 2.2). Only a plaintext can contain one; send the response as JSON.
        """
        root = ET.Element(self._root)
        _append(root, self.body)
        document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        # XML parsers convert a carriage return to a line feed (XML 1.0, section 2.11).
        return document.replace(b"\r", b"&#13;")

    @representation
    def __repr__(self) -> str:
        """Return a representation with the status and the code of an error."""
        return f"<ApiResponse {self.status} {self.body.get('Code', 'OK')}>"


def _append(parent: ET.Element, fields: dict[str, Any]) -> None:
    """Append the elements of an object. Raises `ValueError`."""
    for name, value in fields.items():
        for each in value if isinstance(value, list) else (value,):
            element = ET.SubElement(parent, name)
            if isinstance(each, dict):
                _append(element, each)
                continue
            text = str(each)
            if _NOT_XML.search(text) is not None:
                raise ValueError(f"{name} has a character that XML does not have; send JSON")
            element.text = text
