"""Sphinx configuration. Neither building nor reading the site needs a network."""

import kmscore

project = "kmscore"
author = "The kmscore authors"
project_copyright = "2026, The kmscore authors"
release = version = kmscore.__version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "pages"]
html_extra_path = ["pages"]  # complete pages, copied unchanged
html_theme = "furo"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_title = f"kmscore {release}"
html_show_sphinx = False

# A name in single backticks becomes a link if it is documented. If not, it stays code.
default_role = "py:obj"
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),
    ("py:exc", r"pickle\..*"),
    (
        "py:class",
        (
            r"(collections\.abc|datetime|ssl|typing|enum|pathlib|cryptography|pyarrow|pyspark|pa"
            r"|sqlalchemy|sa)\..*"
        ),
    ),
    ("py:class", r"(kmscore\.context\.)?EncryptionContext \| ~?(collections\.abc\.)?Mapping\[str"),
    # Used in public signatures, but not exported.
    (
        "py:class",
        r"(kmscore\..*\.)?(ContextLike|BytesLike|KeepContext|VersionOrder|Point|Part|Argument)",
    ),
    ("py:class", r"kmscore\._.*|kmscore\.(keys|sm2|bulk|alibaba|keyfile|audit)\..*"),
]
napoleon_numpy_docstring = False
napoleon_attr_annotations = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_mock_imports = ["pyspark"]  # large, and only its names are needed
maximum_signature_line_length = 80
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
myst_heading_anchors = 3
