"""The calculator, for models that cannot compute: all of them."""

from tui.tools.base import tool


@tool(
    keywords=(
        *("calculate", "compute", "calculator", "percent", "square", "root", "sqrt"),
        *("plus", "minus", "times", "divided", "multiplied", "convert", "%"),
        *("计算", "等于", "多少", "算"),
    )
)
def calculate(expression: str) -> str:
    """Calculate arithmetic exactly, or convert units. Use it for every calculation.

    Args:
        expression: The arithmetic expression, e.g. (2 + 3) * 4, 17% of 2340, sqrt(2),
            sin(30 deg), 5 km to miles, 72 F in C.
    """
    # Here, as the decimals and tables are not needed for the start.
    from tui.tools.bundled import expression as arithmetic
    from tui.tools.bundled import units

    # Of each run of blanks one is left, as the patterns need a time with its square.
    expression = arithmetic.bounded(expression)
    converted = units.convert(expression)
    return converted or arithmetic.written(arithmetic.evaluate(expression))
