"""C++ text of the golden numbers."""


def array(name, values, kind="float"):
    text = ", ".join(f"{v:.9g}f" if "." in f"{v:.9g}" or "e" in f"{v:.9g}" else f"{v:.9g}.0f" for v in values)
    if kind != "float":
        text = ", ".join(str(v) for v in values)
    lines, line = [], "   "
    for token in text.split(", "):
        if len(line) + len(token) > 105:
            lines.append(line)
            line = "   "
        line += f" {token},"
    lines.append(line)
    return f"inline constexpr {kind} {name}[] = {{\n" + "\n".join(lines) + "\n};\n"
