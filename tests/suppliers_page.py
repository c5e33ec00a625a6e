"""Writes the table of docs/suppliers.md anew from the table of suppliers.

python tests/suppliers_page.py
"""

from support import ROOT

from tui.models.suppliers import SUPPLIERS

PAGE = ROOT / "docs" / "suppliers.md"


def page() -> str:
    """Return docs/suppliers.md as the table of suppliers has it."""
    lines = [PAGE.read_text("utf-8").partition("\n| ")[0].rstrip() + "\n"]
    lines += [
        "| name | service | address | key variable | default model |",
        "|---|---|---|---|---|",
    ]
    for name, supplier in SUPPLIERS.items():
        key = f"`{supplier.key_env}`" if supplier.key_env else ""
        model = f"`{supplier.model}`" if supplier.model else ""
        title, address = supplier.title, supplier.base_url
        lines.append(f"| `{name}` | {title} | {address} | {key} | {model} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
