"""The wording of numbers and places."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def span(offset: int, length: int) -> str:
    """Return the place of some bytes."""
    if length == 1:
        return f"offset {offset}"
    return f"the offsets {offset} to {offset + length - 1}"
