r"""Mathematics in answers: on one line where nothing is lost, else as its source."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from support.markdown import FRAGMENTS, few, pieces, streamed, whole, widths

from tui.app.markdown.latex import to_unicode
from tui.app.markdown.stream import Stream
from tui.safe import safe

EXACT = {
    r"x^2 + y_1 \le \alpha": "x² + y₁ ≤ α",
    r"E = mc^2": "E = mc²",
    r"a\le b": "a ≤ b",
    r"f'(x) = 2x": "f′(x) = 2x",
    r"e^{-x}": "e⁻ˣ",
    r"x_i^2": "xᵢ²",
    r"10^{-3}\,\mathrm{kg}": "10⁻³ kg",
    r"90^\circ": "90°",
    r"A^\dagger A^T": "A† Aᵀ",
    r"\mathbb{R}^n \to \mathbb C": "ℝⁿ → ℂ",
    r"\mathcal{L}, \mathfrak{g}": "ℒ, 𝔤",
    r"\hat{x} \bar{y}": "x̂ ȳ",
    r"\frac{1}{2}x": "½x",
    r"\frac12": "½",
    r"\frac{a}{b} + 1": "a/b + 1",
    r"\frac{a+b}{2c}": "(a+b)/(2c)",
    r"\frac{n(n+1)}{2}": "n(n+1)/2",
    r"\frac{\sin x}{x}": "(sin x)/x",
    r"\left( \frac{a}{b} \right)^2": "(a/b)²",
    r"\frac{dy}{dx}": "dy/dx",
    r"\frac{-b \pm \sqrt{b^2-4ac}}{2a}": "(−b ± √(b²−4ac))/(2a)",
    r"\sqrt{x} = \sqrt[3]{8}": "√x = ∛8",
    r"\sqrt 2": "√2",
    r"\sum_{i=1}^n i": "∑ᵢ₌₁ⁿ i",
    r"\int_0^1 x^2\,dx": "∫₀¹ x² dx",
    r"\sin\theta\cos x": "sin θ cos x",
    r"\log_2 n": "log₂ n",
    r"\text{if } x \geq 0": "if x ≥ 0",
    r"\forall x \in S,\ \exists y": "∀ x ∈ S, ∃ y",
    r"\{1, \ldots, n\} \subseteq \mathbb{N}": "{1, …, n} ⊆ ℕ",
    r"P(A \mid B)": "P(A | B)",
    r"x = \pm2": "x = ±2",
    r"a \equiv b \pmod{n}": "a ≡ b (mod n)",
    r"\not\in": "∉",
    r"50\%": "50%",
    r"\begin{aligned} a &= b \\ &= dd \end{aligned}": "a = b\n  = dd",
}

READABLE = {
    r"x^{2^n}": "x^(2ⁿ)",
    r"e^{i\pi} + 1": "e^(iπ) + 1",
    r"x_{i,j}": "x_(i,j)",
    r"x_b + y": "x_b + y",
    r"x_bc": "x_(b)c",
    r"\lambda_{\text{best}}": "λ_(best)",
    r"\int_0^\infty f": "∫₀^∞ f",
    r"\lim_{x \to 0} f": "lim_(x → 0) f",
    r"\frac{a}{b}c": "(a/b)c",
    r"c\frac{a}{b}": "c(a/b)",
    r"x = \frac{a}{b}c": "x = (a/b)c",
    r"\frac{a}{b}^2": "(a/b)²",
    r"\frac{a}{\frac{b}{c}}": "a/(b/c)",
    r"\sqrt{x}y": "(√x)y",
    r"\sqrt{x}^2": "(√x)²",
    r"\sqrt{x+1}^2": "(√(x+1))²",
    r"x\sqrt[n]{y}": "x(ⁿ√y)",
    r"\binom{n}{k}": "binom(n, k)",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} x": "(1, 2; 3, 4) x",
    r"v = \begin{bmatrix} x_1 \\ x_2 \end{bmatrix}^T": "v = [x₁; x₂]ᵀ",
    r"|x| = \begin{cases} x, & x \ge 0 \\ -x & \text{otherwise} \end{cases}": (
        "|x| = { x, x ≥ 0; −x, otherwise }"
    ),
    r"\overline{AB} = \boxed{42}": "A̅B̅ = 42",
}
"""What Unicode lacks is written on one line, with brackets where it needs them."""

NOT_EXACT = [
    r"x^2^3",
    r"\begin{pmatrix} 1 & 2 \end{bmatrix}",
    r"\begin{tikzpicture} x \end{tikzpicture}",
    r"\begin{pmatrix} 1 & 2",
    r"a & b",
    r"a \\[2pt] b",
    r"\unknown{x}",
    r"\widehat{abc}",
    r"\mathbb{1+x}",
    r"\sqrt[\pi]{x}",
    r"\frac{1}",
    r"{x",
    r"x}",
    r"x^",
    r"x^{}",
    r"50%",
    "{" * 99 + "x" + "}" * 99,
    "",
]


def shown(text: str, width: int = 60) -> list[str]:
    return [line.text.rstrip() for line in whole(text, width)]


@pytest.mark.parametrize(("formula", "text"), (EXACT | READABLE).items())
def test_what_unicode_has_is_said_in_unicode(formula: str, text: str):
    assert to_unicode(formula) == text


@pytest.mark.parametrize("formula", NOT_EXACT)
def test_what_would_lose_a_part_is_not_converted(formula: str):
    assert to_unicode(formula) is None


def test_all_four_marks_are_known_within_a_line():
    text = r"Let $x^2$, \(y_1\), $$a \le b$$ and \[c \ge d\] hold."

    assert shown(text) == ["Let x², y₁, a ≤ b and c ≥ d hold."]


@pytest.mark.parametrize(
    "text",
    [
        "$$\nx^2\n+ y\n$$",
        "\\[\nx^2\n+ y\n\\]",
        "$$ x^2 + y $$",
        "\\[ x^2\n+ y \\]",
    ],
)
def test_a_block_stands_by_itself(text: str):
    assert shown(f"So\n{text}\nas said") == ["So", "", "  x² + y", "", "as said"]


def test_blocks_may_be_in_lists_and_quotes():
    text = "- a\n  $$\n  x^2\n  $$\n- b\n\n> \\[\n> y^2\n> \\]\nend"

    found = shown(text)

    assert found == ["• a", "    x²", "• b", "", "▎   y²", "", "end"]


def test_what_looks_like_markdown_in_a_formula_is_mathematics():
    assert shown("$a*b*c$ and $x_1 y_2$\n\n$$\na\n- b\n# c\n$$") == [
        *("a*b*c and x₁ y₂", "", "  $$", "  a", "  - b", "  # c", "  $$"),
    ]


def test_a_formula_that_cannot_be_written_is_shown_as_its_source():
    text = r"As $\widehat{ab}$ and \(\unknown{i,j}\):"

    line = whole(text, 60)[0]

    assert line.text == text
    assert (r"$\widehat{ab}$", ("code",)) in line.spans
    assert shown("\\[\n\\widehat{ab} *f*\n\\]") == [
        *("  \\[", "  \\widehat{ab} *f*", "  \\]"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $10",
        "$5/$6, $10-$20, US$5 or 5$",
        "from $5k to $7k or 8k$",
        "$100M+ and $200M+",
        "$HOME/$USER:$PATH",
        "between $3 and a lot, in A$",
        "$$ and $$$",
        "$ x $",
        "$$ is a lot of money",
    ],
)
def test_money_and_variables_are_no_mathematics(text: str):
    assert whole(text, 60)[0].spans == ((text, ()),)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (r"\$x\$", "$x$"),
        (r"\[not a link\](x)", "[not a link](x)"),
        (r"see \[1\]", "see [1]"),
        (r"\[2\]", "[2]"),
        (r"\(so to say\)", "(so to say)"),
        ("`$x^2$`", "$x^2$"),
        ("    $x^2$", " $x^2$"),
        ("[a$x](u$v)", "a$x (u$v)"),
    ],
)
def test_escapes_code_and_links_stay_what_they_are(text: str, seen: str):
    assert shown(text) == [seen]


def test_code_blocks_have_no_mathematics():
    assert shown("```\n$x^2$\n$$\n\\(y\\)\n```") == [" $x^2$", " $$", " \\(y\\)"]


def test_a_long_line_that_turns_out_to_be_text_goes_on_with_the_paragraph():
    text = "Text\n$$" + "x^2 + " * 60 + "y$$ and more text\n"

    assert streamed(pieces(text, [50]), 79) == whole(text, 79)


@pytest.mark.parametrize(
    "text",
    [
        r"Let $\alpha^2$ be small.",
        r"Let \(\alpha^2\) be small.",
        "Say\n\n$$\n\\alpha^2\n$$\n\nso.",
        "Say\n\\[\n\\alpha^2\n\\]\nso.",
        "- Say\n  $$\\alpha^2$$\n- so",
    ],
)
def test_a_formula_turns_from_source_to_unicode_once(text: str):
    stream = Stream(60)
    states: list[bool] = []

    for character in text:
        stream.append(character)
        stream.update()
        states.append(any("α²" in line.text for line in stream.lines))

    assert states == sorted(states)
    assert states[-1]


def test_money_does_not_flicker():
    stream = Stream(60)

    for number, character in enumerate("Pay $5/$6 or $a/$b.", 1):
        stream.append(character)
        stream.update()
        so_far = "Pay $5/$6 or $a/$b."[:number]
        assert stream.lines[0].text == so_far.rstrip().rstrip("$").rstrip()


MATHEMATICS = [
    "$x^2$",
    r"\(y_1\)",
    r"\[z\]",
    r"$$\frac12$$",
    "$",
    "$$",
    "$$\n",
    "\n$$\n",
    r"\(",
    r"\)",
    "\\[\n",
    "\\]\n",
    "\\] and\n",
    "$5 ",
    "x^2 = ",
    r"\alpha",
    "{",
    "}",
    "  $$\n  x\n  $$\n",
    "> $$\n> x\n",
    "$$ a = b\n",
    r"$\unknown{" + "long " * 50 + "}$ ",
    "word $x$ " * 40,
    "$$x^2 + " * 30,
]
texts = st.lists(
    st.sampled_from(MATHEMATICS) | st.sampled_from(FRAGMENTS), max_size=14
).map("".join)


@settings(max_examples=100, deadline=None)
@given(texts, st.lists(st.integers(1, 90), min_size=1, max_size=8), widths)
def test_any_text_in_pieces_ends_as_the_whole(text: str, sizes: list[int], width: int):
    assert streamed(few(pieces(text, sizes)), width) == whole(text, width)


@settings(max_examples=60, deadline=None)
@given(texts, st.sampled_from([40, 79]))
def test_no_line_is_wider_than_the_pane_or_unsafe(text: str, width: int):
    for line in whole(text, width):
        assert cell_len(line.text) <= width
        assert safe(line.text, newlines=False) == line.text


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *EXACT,
                *READABLE,
                *NOT_EXACT,
                *(r"\frac", r"\sqrt", r"\left", r"\right", r"\\"),
                *"[]{}^_&'",
            ]
        ),
        max_size=6,
    ).map(" ".join)
)
def test_no_command_is_ever_left_in_what_is_converted(formula: str):
    found = to_unicode(formula)

    assert found is None or not set("\\&$#") & set(found)


def test_the_tables_are_not_loaded_without_mathematics():
    code = """
import sys
from tui.app.markdown.stream import Stream
stream = Stream(60)
stream.append("Costs $5 and $10.")
stream.finish()
assert "tui.app.markdown.stream" in sys.modules
assert not {f"tui.app.markdown.{name}" for name in ("latex", "symbols")} & {
    *sys.modules
}
"""
    subprocess.run([sys.executable, "-c", code], check=True)
