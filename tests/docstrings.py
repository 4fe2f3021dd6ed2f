"""What the source says of a member of an enumeration, which Python keeps no docstring of."""

import ast
import inspect
import textwrap


def told(kind, member):
    """Return the string that stands below a member, on one line; "" where there is none."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    for here, after in zip(body.body, [*body.body[1:], None], strict=True):
        named = isinstance(here, ast.Assign) and here.targets[0].id == member.name
        if named and isinstance(after, ast.Expr) and isinstance(after.value.value, str):
            return " ".join(after.value.value.split())
    return ""
