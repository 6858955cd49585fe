"""Problems that the user can correct, each described in one line."""


class FileProblem(Exception):  # noqa: N818 (a message for the user)
    """A problem that the user can correct, mostly with a file; its text is one line."""
