"""An implementation of blobs alone, in Python without any package: the example of README.md."""

import re
from pathlib import Path

_README = Path(__file__).resolve().parents[2] / "README.md"

(_CODE,) = re.findall(
    r"^```python\n(.*?)^```$", _README.read_text("utf-8"), re.DOTALL | re.MULTILINE
)
exec(_CODE)  # noqa: S102 (our own page)
