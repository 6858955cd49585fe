"""The operators of Cosmic Ray that the campaign uses.

Cosmic Ray replaces each arithmetic operator by eleven others and each comparison by seven. Most of
those mutants fail with a `TypeError` in any test, so they raise the score and show nothing. The
campaign takes the inverse of an arithmetic operator, and the negation and the boundary of a
comparison.
"""

_BINARY = {
    "Add": ("Sub",),
    "Sub": ("Add",),
    "Mul": ("FloorDiv",),
    "Div": ("Mul",),
    "FloorDiv": ("Mul",),
    "Mod": ("FloorDiv",),
    "Pow": ("Mul",),
    "RShift": ("LShift",),
    "LShift": ("RShift",),
    "BitOr": ("BitAnd",),
    "BitAnd": ("BitOr",),
    "BitXor": ("BitOr",),
}
_COMPARISON = {
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
    "Eq": ("NotEq", "LtE", "GtE"),
    "NotEq": ("Eq", "Lt", "Gt"),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
}
_UNARY = ("USub_UAdd", "Delete_Not", "Delete_Invert")
_OTHERS = (
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
)

OPERATORS = tuple(
    f"core/{name}"
    for name in (
        *(f"ReplaceBinaryOperator_{old}_{new}" for old, all_ in _BINARY.items() for new in all_),
        *(
            f"ReplaceComparisonOperator_{old}_{new}"
            for old, all_ in _COMPARISON.items()
            for new in all_
        ),
        *(f"ReplaceUnaryOperator_{name}" for name in _UNARY),
        *_OTHERS,
    )
)
