"""Writes docs/servers.md anew from the table of servers and its tests.

python tests/servers_page.py
"""

from support import ROOT

from tui.models.openai.servers import RULES, SERVERS

PAGE = ROOT / "docs" / "servers.md"
TESTS = ROOT / "tests" / "unit" / "openai" / "test_servers.py"


def page() -> str:
    """Return docs/servers.md as the table of servers has it."""
    lines = [PAGE.read_text("utf-8").partition("\n| ")[0].rstrip() + "\n"]
    lines += ["| server | what is different | test | sources |", "|---|---|---|---|"]
    for name, server in SERVERS.items():
        rules = "<br>".join(RULES[rule] for rule in server.rules)
        links = ", ".join(f"[{i}]({url})" for i, url in enumerate(server.sources, 1))
        tests = "<br>".join(f"`{test}[{name}]`" for test in _tests(server.rules))
        lines.append(f"| {server.title} | {rules} | {tests} | {links} |")
    return "\n".join(lines) + "\n"


def _tests(rules: tuple[str, ...]) -> list[str]:
    tests = ["test_any_history_is_taken_by", "test_a_conversation_goes_on_at"]
    if any("back" in rule for rule in rules):
        tests.append("test_what_is_wanted_back_goes_back_after_a_restart_too")
    source = TESTS.read_text("utf-8")
    assert all(f"def {test}(" in source for test in tests)
    return tests


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
