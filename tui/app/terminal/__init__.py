"""The output stage, between Textual's compositor and the terminal.

Textual writes every changed widget whole: on a slow link its screen is seconds old, and
keys wait behind it. The stage keeps the shown and the wanted cells, writes the smallest
difference, and waits for the terminal to acknowledge its frames.

- `textual_hook`: where it is put into Textual, and where it steps back
- `driver`, `tty_reader`, `tty_writer`, `capabilities`: the tty, and what it can do
- `stage`, `flow_control`: when a frame is sent
- `surface`, `cells`, `sgr`, `reduced_colours`: what is wanted, and in how many colours
- `painter`, `scroll`, `cursor_moves`: what is written
"""
